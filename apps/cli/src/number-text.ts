const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Bytes in decimal units: 1234567 is `1.23 MB`. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}

/** A count with grouped digits: `1,234,567`; `?` where it is not known. */
export const countText = (count: number | null | undefined): string =>
  typeof count === 'number' ? count.toLocaleString('en-US') : '?';

/** A share in percent: 0.8103 is `81.03 %`. */
export const percentText = (share: number): string => `${(share * 100).toFixed(2)} %`;

/** Decibels; equal tensors are `exact`. */
export const dbText = (db: number | null | undefined): string =>
  db === null || db === undefined ? '?' : db >= 300 ? 'exact' : db > -300 ? `${db.toFixed(1)} dB` : 'no signal';

/** A ratio b/a, two digits. */
export const ratioText = (ratio: number | null | undefined): string =>
  typeof ratio === 'number' ? ratio.toFixed(3) : '?';

/** A short text of at most `most` characters, cut in the middle. */
export const shortText = (text: string, most = 48): string =>
  text.length <= most
    ? text
    : `${text.slice(0, Math.ceil(most / 2) - 1)}…${text.slice(text.length - Math.floor(most / 2))}`;
