import type { Axis, AxisSite } from '@espalier/core';

/** The axes of two lists, one by one. */
export function sameEach(site: AxisSite, a: readonly Axis[], b: readonly Axis[]): void {
  a.forEach((axis, i) => {
    site.same(axis, b[i]!);
  });
}
