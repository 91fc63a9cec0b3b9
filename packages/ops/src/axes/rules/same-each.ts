import type { AxisSite } from '../axis-rule.js';
import type { Axis } from '../axis-space.js';

/** The axes of two lists, one by one. */
export function sameEach(site: AxisSite, a: readonly Axis[], b: readonly Axis[]): void {
  a.forEach((axis, i) => {
    site.same(axis, b[i]!);
  });
}
