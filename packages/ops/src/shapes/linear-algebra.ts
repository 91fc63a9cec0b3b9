import type { OpName } from '../op-names.js';
import { einsum } from './einsum.js';
import { like } from './elementwise.js';
import { type ShapeRule, shapeOfRank, typeOf } from './site.js';

const same = like();

/** Distances between all rows of two matrices. */
const pairs: ShapeRule = (site) => {
  const [a, b] = [0, 1].map((slot) => shapeOfRank(site, slot, 2, 2)?.[0] ?? site.fresh(slot));
  return [typeOf(site.dtype(0), [a!, b!])];
};

/** Matrix ops that are no plain product, and running sums. */
export const linearAlgebraRules = {
  CumProd: same,
  CumSum: same,
  Det: (site) => [typeOf(site.dtype(0), shapeOfRank(site, 0, 2)?.slice(0, -2))],
  Einsum: einsum,
  Trilu: same,
  'com.microsoft::CDist': pairs,
  'com.microsoft::Inverse': same,
  'com.microsoft::Trilu': same,
} as const satisfies Partial<Record<OpName, ShapeRule>>;
