import type { OpName } from '@espalier/ops';
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
import { refusedOps } from './refused-ops.js';

/** Each differentiable op beside its derivative. */
export const derivatives = {
  ...activations,
  ...arithmetic,
  ...convolution,
  ...gathering,
  ...matmul,
  ...movement,
  ...normalization,
  ...pooling,
  ...quantization,
  ...reduction,
  ...resizing,
  ...slicing,
  ...softmaxes,
} satisfies Partial<Record<OpName, Derivative>>;

/** Ops whose outputs do not change when an input moves a little, or that read no floats: the gradient stops there. */
const flat = [
  'And',
  'ArgMax',
  'ArgMin',
  'Bernoulli',
  'BlackmanWindow',
  'Ceil',
  'Constant',
  'ConstantOfShape',
  'Equal',
  'EyeLike',
  'Floor',
  'Greater',
  'GreaterOrEqual',
  'HammingWindow',
  'HannWindow',
  'IsInf',
  'IsNaN',
  'Less',
  'LessOrEqual',
  'MelWeightMatrix',
  'Multinomial',
  'NonZero',
  'Not',
  'OneHot',
  'Or',
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
  'Range',
  'Round',
  'Shape',
  'Sign',
  'Size',
  'Xor',
] as const satisfies readonly OpName[];

const stops = Object.fromEntries(flat.map((op) => [op, 'flat'])) as Record<(typeof flat)[number], 'flat'>; // one each

// Does not compile while a known op has no answer.
const answers = { ...derivatives, ...stops, ...refusedOps } satisfies Record<OpName, Derivative | string>;

const byName: ReadonlyMap<string, Derivative | string> = new Map<string, Derivative | string>(Object.entries(answers));

/** The rule of an op; `flat` where its gradient is zero everywhere; otherwise why there is none. */
export type DerivativeAnswer =
  | { readonly rule: Derivative }
  | { readonly rule: 'flat' }
  | { readonly rule?: never; readonly reason: string };

/** The known facts about the derivative of an op. */
export function derivativeOf(op: string): DerivativeAnswer {
  const answer = byName.get(op);
  if (answer === undefined) return { reason: 'an unknown op' };
  if (typeof answer === 'function') return { rule: answer };
  return answer === 'flat' ? { rule: 'flat' } : { reason: answer };
}
