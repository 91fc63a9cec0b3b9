import { type MovementOp, movementOf } from '@espalier/ops';
import type { derivatives } from './derivative-of.js';

/** The role of a parameter in its layer. By default, weight decay acts on weights alone. */
export type ParameterRole = 'weight' | 'bias' | 'norm' | 'quantizer';

/** The role of a constant input of an op. */
export type SlotUse =
  /** A layer: constants in these slots are its parameters. */
  | { readonly kind: 'layer'; readonly roles: readonly (ParameterRole | undefined)[]; readonly others: string }
  /** A layer that reads rows of a table, or a choice of elements where the indices are constant too. */
  | { readonly kind: 'lookup' }
  /** Hands on the elements of its first input, in another order or form. */
  | { readonly kind: 'movement' }
  /** Puts values side by side. */
  | { readonly kind: 'join' }
  /** Adds or subtracts. */
  | { readonly kind: 'shift' }
  /** Multiplies, or divides by its second input. */
  | { readonly kind: 'scale' }
  /** Has no parameters; `is` says what constants among its inputs are. */
  | { readonly kind: 'fixed'; readonly is: string };

const layer = (roles: readonly (ParameterRole | undefined)[], others = 'an option of a layer'): SlotUse => ({
  kind: 'layer',
  roles,
  others,
});
const weightAndBias = layer([undefined, 'weight', 'bias']);
const scaleAndShift = layer([undefined, 'norm', 'norm']);
const all = <const N extends string>(use: SlotUse, names: readonly N[]): Readonly<Record<N, SlotUse>> =>
  Object.fromEntries(names.map((name) => [name, use])) as Record<N, SlotUse>; // one entry per name

// Does not compile while a differentiable op that does more than move elements has no answer.
const uses = {
  ...all(weightAndBias, ['Conv', 'ConvTranspose']),
  Gemm: layer(['weight', 'weight', 'bias']),
  MatMul: layer(['weight', 'weight']),
  Einsum: layer(['weight', 'weight']),
  Gather: { kind: 'lookup' },
  BatchNormalization: layer([undefined, 'norm', 'norm'], 'running statistics of a batch norm'),
  ...all(scaleAndShift, [
    'espalier::BatchNormTraining',
    'LayerNormalization',
    'InstanceNormalization',
    'GroupNormalization',
  ]),
  PRelu: layer([undefined, 'norm']),
  'espalier::FakeQuantize': layer(['weight', 'quantizer'], 'fixed in a quantizer'),
  'espalier::ParameterizedQuantize': layer(['weight', 'quantizer', 'quantizer', 'quantizer']),
  Concat: { kind: 'join' },
  ...all({ kind: 'shift' }, ['Add', 'Sub', 'Sum']),
  ...all({ kind: 'scale' }, ['Div', 'Mul']),
  ...all({ kind: 'fixed', is: 'a bound' }, ['Clip', 'Max', 'Min']),
  Pow: { kind: 'fixed', is: 'an exponent' },
  Where: { kind: 'fixed', is: 'what a choice fills in' },
  ...all({ kind: 'fixed', is: 'an option of a change of size' }, ['Pad', 'Resize']),
  ...all({ kind: 'fixed', is: 'a table that is read or written by position' }, [
    'GatherElements',
    'GatherND',
    'ScatterElements',
    'ScatterND',
    'TopK',
    'Trilu',
  ]),
  ...all({ kind: 'fixed', is: 'part of a gradient' }, [
    'espalier::ConvInputGradient',
    'espalier::ConvWeightGradient',
    'espalier::MaxPoolGradient',
  ]),
  ...all({ kind: 'fixed', is: 'part of what is computed from constants alone' }, [
    'Abs',
    'Acos',
    'Acosh',
    'Asin',
    'Asinh',
    'Atan',
    'Atanh',
    'AveragePool',
    'Cast',
    'Celu',
    'Cos',
    'Cosh',
    'CumSum',
    'Elu',
    'Erf',
    'Exp',
    'Gelu',
    'GlobalAveragePool',
    'GlobalMaxPool',
    'HardSigmoid',
    'HardSwish',
    'LeakyRelu',
    'Log',
    'LogSoftmax',
    'MaxPool',
    'Mean',
    'Mish',
    'Neg',
    'Reciprocal',
    'ReduceL1',
    'ReduceL2',
    'ReduceLogSum',
    'ReduceLogSumExp',
    'ReduceMax',
    'ReduceMean',
    'ReduceMin',
    'ReduceProd',
    'ReduceSum',
    'ReduceSumSquare',
    'Relu',
    'Selu',
    'Sigmoid',
    'Sin',
    'Sinh',
    'Softmax',
    'Softplus',
    'Softsign',
    'Sqrt',
    'Tan',
    'Tanh',
    'ThresholdedRelu',
  ]),
} as const satisfies Record<Exclude<keyof typeof derivatives, MovementOp>, SlotUse>;

const byOp: ReadonlyMap<string, SlotUse> = new Map<string, SlotUse>(Object.entries(uses));

/** The roles of an op's constants; undefined for ops without a derivative. */
export const slotUseOf = (op: string): SlotUse | undefined => (movementOf(op) ? { kind: 'movement' } : byOp.get(op));
