/**
 * The position of a step between two others: 0 up to `begin`, 1 from `end` on, linear between.
 * `progress(5, 0, 10)` is 0.5; when `end` is not after `begin`, it jumps from 0 to 1 at `end`.
 */
export function progress(step: number, begin: number, end: number): number {
  if (step >= end) return 1;
  return step <= begin ? 0 : (step - begin) / (end - begin);
}
