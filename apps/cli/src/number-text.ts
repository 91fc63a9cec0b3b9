import { safeText } from '@espalier/analysis';

export {
  formatBytes as bytesText,
  formatDb as dbText,
  formatDifference as differenceText,
  formatShare as percentText,
} from '@espalier/analysis';

/** A count with grouped digits: `1,234,567`; `?` where it is not known. */
export const countText = (count: number | null | undefined): string =>
  typeof count === 'number' ? count.toLocaleString('en-US') : '?';

/** A ratio b/a, three digits. */
export const ratioText = (ratio: number | null | undefined): string =>
  typeof ratio === 'number' ? ratio.toFixed(3) : '?';

/** A name of at most `most` characters, cut in the middle, without what could steer a terminal. */
export function shortText(text: string, most = 48): string {
  const safe = safeText(text);
  return safe.length <= most
    ? safe
    : `${safe.slice(0, Math.ceil(most / 2) - 1)}…${safe.slice(safe.length - Math.floor(most / 2))}`;
}
