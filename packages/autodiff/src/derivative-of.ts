import type { Derivative } from './derivative.js';
import { activations } from './derivatives/activations.js';
import { arithmetic } from './derivatives/arithmetic.js';
import { convolution } from './derivatives/conv.js';
import { gathering } from './derivatives/gather.js';
import { matmul } from './derivatives/matmul.js';
import { movement } from './derivatives/movement.js';
import { normalization } from './derivatives/normalization.js';
import { pooling } from './derivatives/pool.js';
import { quantization } from './derivatives/quantization.js';
import { reduction } from './derivatives/reduce.js';
import { resizing } from './derivatives/resize.js';
import { slicing } from './derivatives/slicing.js';
import { softmaxes } from './derivatives/softmax.js';

/** Each differentiable op beside its derivative. */
export const derivatives: Readonly<Record<string, Derivative>> = {
  ...activations,
  ...arithmetic,
  ...gathering,
  ...slicing,
  ...matmul,
  ...convolution,
  ...pooling,
  ...normalization,
  ...softmaxes,
  ...reduction,
  ...movement,
  ...resizing,
  ...quantization,
};

/** Ops whose outputs do not change when an input moves a little: the gradient is zero, so it stops there. */
export const flatOps: ReadonlySet<string> = new Set([
  'ArgMax',
  'ArgMin',
  'Ceil',
  'ConstantOfShape',
  'Equal',
  'EyeLike',
  'Floor',
  'Greater',
  'GreaterOrEqual',
  'IsInf',
  'IsNaN',
  'Less',
  'LessOrEqual',
  'NonZero',
  'Not',
  'OneHot',
  'Or',
  'And',
  'Xor',
  'Range',
  'Round',
  'Shape',
  'Sign',
  'Size',
]);

/** Ops that are known not to be differentiable here, with the reason. */
export const refusedOps: Readonly<Record<string, string>> = {
  LSTM: 'a recurrent layer, whose training form is not available',
  GRU: 'a recurrent layer, whose training form is not available',
  RNN: 'a recurrent layer, whose training form is not available',
  QuantizeLinear: 'rounding to integers: quantize after training, or train with espalier::FakeQuantize',
  DequantizeLinear: 'integers: train the float model, or use espalier::FakeQuantize',
  If: 'a branch, which the gradient cannot pass',
  Loop: 'a loop, which the gradient cannot pass',
  Scan: 'a loop, which the gradient cannot pass',
};

/** The rule of an op; undefined where there is none. */
export const derivativeOf = (op: string): Derivative | undefined =>
  Object.hasOwn(derivatives, op) ? derivatives[op] : undefined;
