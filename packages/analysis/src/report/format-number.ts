import type { OutputDifference } from '../comparison/compare-sessions.js';

const absent = '\u2013';

/** A number of bytes for a person: `formatBytes(1112227)` is `1.06 MiB`. An en dash where it is not known. */
export function formatBytes(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) return absent;
  let value = bytes;
  for (const unit of ['B', 'KiB', 'MiB', 'GiB']) {
    if (Math.abs(value) < 1024 || unit === 'GiB') return `${unit === 'B' ? value : significant(value)} ${unit}`;
    value /= 1024;
  }
  return absent;
}

/** A count for a person, in powers of 1000: `formatCount(40553856)` is `40.6 M`. An en dash where it is not known. */
export function formatCount(count: number | null | undefined): string {
  if (count === null || count === undefined) return absent;
  let value = count;
  for (const unit of ['', ' k', ' M', ' G', ' T', ' P']) {
    if (Math.abs(value) < 999.5 || unit === ' P')
      return `${unit === '' ? +value.toFixed(2) : significant(value)}${unit}`;
    value /= 1000;
  }
  return absent;
}

/** Three significant digits without an exponent: `significant(0.01234)` is `0.0123`, `significant(1234.5)` is `1235`. */
export function significant(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return '0';
  const rounded = Math.abs(Number(value.toPrecision(3))); // 0.9996 has the digits of 1
  const digits = Math.max(0, Math.min(12, 2 - Math.floor(Math.log10(rounded))));
  return value.toFixed(digits);
}

/** A share in percent: `formatShare(0.9173)` is `91.73 %`. */
export const formatShare = (share: number | null | undefined): string =>
  share === null || share === undefined ? absent : `${(100 * share).toFixed(2)} %`;

/** Milliseconds: `formatMs(0.8802)` is `0.880 ms`. */
export const formatMs = (ms: number | null | undefined): string =>
  ms === null || ms === undefined ? absent : `${significant(ms)} ms`;

/** Decibels; the ends of the scale say what they mean (see `ErrorStats`). `formatDb(19.96)` is `20.0 dB`. */
export function formatDb(db: number | null | undefined): string {
  if (db === null || db === undefined) return absent;
  if (db >= 300) return 'equal';
  return db <= -300 ? 'broken' : `${db.toFixed(1)} dB`;
}

/** The change of a number: `formatChange(400, 100)` is `4.00× smaller`. */
export function formatChange(before: number | null | undefined, after: number | null | undefined): string {
  if (!before || after === null || after === undefined) return absent;
  if (after === before) return 'the same';
  if (after <= 0) return 'none left';
  return after < before
    ? `${(before / after).toFixed(2)}\u00d7 smaller`
    : `${(after / before).toFixed(2)}\u00d7 larger`;
}

/** The distance of an output from that of the original: `34.8 dB`, `99.5 % equal`, or that there was nothing to compare. */
export function formatDifference({
  snrDb,
  agreement,
  undefinedBoth,
  count,
}: Pick<OutputDifference, 'snrDb' | 'agreement' | 'undefinedBoth' | 'count'>): string {
  if (count > 0 && undefinedBoth === count) return 'no finite number in either model';
  return agreement === null ? formatDb(snrDb) : `${formatShare(agreement)} equal`;
}
