import type { Grid, Target } from '@espalier/core';
import type { LeftOut } from '../node-choice.js';
import type { WeightClip } from '../weight-ranges.js';

/** The resolved options of the dynamic quantizer. */
export interface DynamicSettings {
  readonly target: Target;
  readonly weights: Grid;
  readonly perChannel: boolean;
  readonly clip: WeightClip;
  /** Convolutions: weights stored as integers, ConvInteger, or nothing. */
  readonly convs: 'stored' | 'integer' | 'float';
  readonly recurrent: boolean;
  readonly embeddings: boolean;
  readonly leftOut: LeftOut;
}

/** Ops of a target that the dynamic quantizer writes. */
export type DynamicOp = 'MatMulInteger' | 'ConvInteger' | 'com.microsoft::DynamicQuantizeLSTM';

/** Whether the target has such an op. */
export const runsDynamic = ({ target }: DynamicSettings, op: DynamicOp): boolean => Object.hasOwn(target.dynamic, op);

/** Whether the weights of such an op have one scale per channel. */
export const byChannel = ({ target, perChannel }: DynamicSettings, op: DynamicOp): boolean =>
  perChannel && target.dynamic[op]?.weightScales === 'channel';
