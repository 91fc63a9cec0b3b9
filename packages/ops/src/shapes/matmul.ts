import { type Dim, type DType, intOf } from '@espalier/core';
import type { OpName } from '../op-names.js';
import { broadcast } from './broadcast.js';
import { type ShapeRule, type Site, sameDim, shapeOfRank, typeOf } from './site.js';

/**
 * The shape of a product of stacks of matrices (numpy rules): [..., n, k] × [..., k, m] = [..., n, m]; a vector on
 * the left counts as a row, on the right as a column, and its axis is dropped.
 */
export function productShape(
  site: Site,
  a: readonly Dim[] | undefined,
  b: readonly Dim[] | undefined,
): readonly Dim[] | undefined {
  if (!a || !b) return undefined;
  if (a.length === 0 || b.length === 0) throw site.fail({ expected: 'matrices or vectors', found: 'a scalar' });
  const left = a.length === 1 ? [1, ...a] : a;
  const right = b.length === 1 ? [...b, 1] : b;
  sameDim(site, 'the last axis of the left and the second last of the right input', left.at(-1)!, right.at(-2)!);
  const stack = broadcast(site, [left.slice(0, -2), right.slice(0, -2)]);
  return [...stack, ...(a.length === 1 ? [] : [left.at(-2)!]), ...(b.length === 1 ? [] : [right.at(-1)!])];
}

const flipped = (shape: readonly Dim[] | undefined): readonly Dim[] | undefined =>
  shape && shape.length >= 2 ? [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!] : shape;

// transBatchA/B of FusedMatMul move the batch axes behind the rows: [n, ..., k] is read as [..., n, k].
const batchFirst = (shape: readonly Dim[] | undefined): readonly Dim[] | undefined =>
  shape && shape.length >= 3 ? [...shape.slice(1, -1), shape[0]!, shape.at(-1)!] : shape;

const flag = (site: Site, name: string): boolean => intOf(site.node, name, 0) === 1;

const matMul =
  (slots: readonly [number, number] = [0, 1], dtype?: (site: Site) => DType | undefined): ShapeRule =>
  (site) => {
    const shape = productShape(site, site.shape(slots[0]), site.shape(slots[1]));
    return [typeOf(dtype ? dtype(site) : (site.dtype(slots[0]) ?? site.dtype(slots[1])), shape)];
  };

const fusedMatMul: ShapeRule = (site) => {
  const read = (slot: number, name: 'A' | 'B') => {
    const given = flag(site, `transBatch${name}`) ? batchFirst(site.shape(slot)) : site.shape(slot);
    return flag(site, `trans${name}`) ? flipped(given) : given;
  };
  return [typeOf(site.dtype(0) ?? site.dtype(1), productShape(site, read(0, 'A'), read(1, 'B')))];
};

/** [n, k] × [k, m] + c, either matrix transposed on demand; c must broadcast to [n, m]. */
const gemmShape = (site: Site, b: number): readonly Dim[] | undefined => {
  const first = shapeOfRank(site, 0, 2, 2);
  const second = shapeOfRank(site, b, 2, 2);
  return productShape(
    site,
    flag(site, 'transA') ? flipped(first) : first,
    flag(site, 'transB') ? flipped(second) : second,
  );
};

const gemm: ShapeRule = (site) => {
  const shape = gemmShape(site, 1);
  const bias = site.shape(2);
  if (shape && bias && site.opset >= 7) broadcast(site, bias.length > 2 ? [bias, shape] : [shape, bias]);
  return [typeOf(site.dtype(0) ?? site.dtype(1), shape)];
};

/** Matrix products; quantized ones name their output's dtype by its zero point. */
export const matmulRules = {
  Gemm: gemm,
  MatMul: matMul(),
  MatMulInteger: matMul([0, 1], () => 'int32'),
  QLinearMatMul: matMul([0, 3], (site) => site.dtype(7) ?? site.dtype(0)),
  'com.microsoft::DynamicQuantizeMatMul': matMul(),
  'com.microsoft::FusedGemm': gemm,
  'com.microsoft::FusedMatMul': fusedMatMul,
  'com.microsoft::FusedMatMulActivation': fusedMatMul,
  'com.microsoft::MatMulInteger16': matMul([0, 1], () => 'int32'),
  'com.microsoft::MatMulIntegerToFloat': matMul([0, 1], (site) => site.dtype(2) ?? site.dtype(3)),
  'com.microsoft::QGemm': (site) => [
    typeOf(site.node.inputs[8] === undefined ? 'float32' : site.dtype(8), gemmShape(site, 3)),
  ],
  'com.microsoft::TransposeMatMul': fusedMatMul,
} as const satisfies Partial<Record<OpName, ShapeRule>>;
