/** A value as an error message shows it; never throws, whatever it is given. */
export function shown(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'number' || typeof value === 'bigint') return String(value); // JSON has neither NaN nor bigints
  try {
    const text = JSON.stringify(value) ?? String(value);
    return text.length > 200 ? `${text.slice(0, 200)}...` : text;
  } catch {
    return Array.isArray(value) ? 'a list' : 'an object';
  }
}
