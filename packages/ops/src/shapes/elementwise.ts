import { type Dim, type DType, intOf, type ValueInfo } from '@espalier/core';
import type { OpName } from '../op-names.js';
import { broadcast } from './broadcast.js';
import { dtypeAttribute } from './onnx-dtype.js';
import { type ShapeRule, type Site, typeOf } from './site.js';

/** The type of an input, unless another dtype is given. */
export const like =
  (slot = 0, dtype?: DType): ShapeRule =>
  (site) => [typeOf(dtype ?? site.dtype(slot), site.shape(slot))];

/** The broadcast shape of some of the inputs; undefined while one of them is unknown. Omitted ones do not count. */
export function broadcastOf(site: Site, slots: readonly number[]): readonly Dim[] | undefined {
  const given = slots.filter((slot) => site.node.inputs[slot] !== undefined);
  const shapes = given.map((slot) => site.shape(slot)).filter((shape) => shape !== undefined);
  return shapes.length === given.length ? broadcast(site, shapes) : undefined;
}

/** All inputs broadcast together. Default dtype: that of the first known input. */
export const broadcasting =
  (dtype?: DType): ShapeRule =>
  (site) => {
    const slots = site.node.inputs.map((_, slot) => slot);
    const known = dtype ?? slots.map((slot) => site.dtype(slot)).find((each) => each !== undefined);
    return [typeOf(known, legacyShape(site) ?? broadcastOf(site, slots))];
  };

// Before opset 7, `broadcast=1` aligned the second input at `axis`; the first one always had the result's shape.
const legacyShape = (site: Site): readonly Dim[] | undefined =>
  site.opset > 0 && site.opset < 7 && intOf(site.node, 'broadcast', 0) === 1 ? site.shape(0) : undefined;

const same = like();
const truth = broadcasting('bool');
const joined = broadcasting();

const where: ShapeRule = (site) => [typeOf(site.dtype(1) ?? site.dtype(2), broadcastOf(site, [0, 1, 2]))];

// Exponents may be of another dtype than the base.
const power: ShapeRule = (site) => [typeOf(site.dtype(0), legacyShape(site) ?? broadcastOf(site, [0, 1]))];

const cast: ShapeRule = (site) => [typeOf(dtypeAttribute(site.node, 'to'), site.shape(0))];

const dropout: ShapeRule = (site) => {
  const data = typeOf(site.dtype(0), site.shape(0));
  const maskOfData = site.opset > 0 && site.opset < 10; // the mask became boolean in opset 10
  return [data, maskOfData ? data : typeOf('bool', site.shape(0))];
};

// Identity passes sequences and optionals too.
const identity: ShapeRule = (site) => [site.info(0) && typeOnly(site.info(0)!)];

const typeOnly = ({ dtype, shape, container }: ValueInfo): ValueInfo => ({
  dtype,
  ...(shape ? { shape } : {}),
  ...(container ? { container } : {}),
});

/** Ops that work element by element: the shape of the input, or of all inputs broadcast. */
export const elementwiseRules = {
  Abs: same,
  Acos: same,
  Acosh: same,
  Add: joined,
  And: truth,
  Asin: same,
  Asinh: same,
  Atan: same,
  Atanh: same,
  BitShift: joined,
  BitwiseAnd: joined,
  BitwiseNot: same,
  BitwiseOr: joined,
  BitwiseXor: joined,
  Cast: cast,
  CastLike: (site) => [typeOf(site.dtype(1), site.shape(0))],
  Ceil: same,
  Celu: same,
  Clip: same,
  Cos: same,
  Cosh: same,
  Div: joined,
  Dropout: dropout,
  Elu: same,
  Equal: truth,
  Erf: same,
  Exp: same,
  Floor: same,
  Gelu: same,
  Greater: truth,
  GreaterOrEqual: truth,
  HardSigmoid: same,
  HardSwish: same,
  Identity: identity,
  IsInf: like(0, 'bool'),
  IsNaN: like(0, 'bool'),
  LeakyRelu: same,
  Less: truth,
  LessOrEqual: truth,
  Log: same,
  Max: joined,
  Mean: joined,
  Min: joined,
  Mish: same,
  Mod: joined,
  Mul: joined,
  Neg: same,
  Not: like(0, 'bool'),
  Or: truth,
  PRelu: same,
  Pow: power,
  Reciprocal: same,
  Relu: same,
  Round: same,
  Selu: same,
  Shrink: same,
  Sigmoid: same,
  Sign: same,
  Sin: same,
  Sinh: same,
  Softplus: same,
  Softsign: same,
  Sqrt: same,
  Sub: joined,
  Sum: joined,
  Swish: same,
  Tan: same,
  Tanh: same,
  ThresholdedRelu: same,
  Where: where,
  Xor: truth,
} as const satisfies Partial<Record<OpName, ShapeRule>>;
