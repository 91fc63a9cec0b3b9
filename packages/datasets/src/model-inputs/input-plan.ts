import type { DType, Tensor } from '@espalier/core';

/**
 * The way to generate the elements of an input. `normal` and `uniform` are random floats times `scale`; `below` is a random
 * whole number from 0 to one less; `positions` counts 0, 1, 2, ... along the last axis; `constant` is one number
 * everywhere; `given` is an array of the user, converted to the type of the input; `text` is short words.
 */
export type Fill =
  | { readonly kind: 'normal' | 'uniform'; readonly scale: number }
  | { readonly kind: 'below'; readonly below: number }
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'positions' }
  | { readonly kind: 'given'; readonly tensor: Tensor }
  | { readonly kind: 'text' };

/** One input of a model as it is fed. */
export interface PlannedInput {
  readonly dtype: DType;
  /** The whole shape, the batch axis included. */
  readonly shape: readonly number[];
  readonly fill: Fill;
}

/** The inputs of a model if no data is given. */
export interface InputPlan {
  readonly inputs: ReadonlyMap<string, PlannedInput>;
  /** Whether the first axis of every input is one batch of any size. Otherwise a sample is a whole feed. */
  readonly stacked: boolean;
  /** Sizes chosen for open dimensions, by name. */
  readonly sizes: ReadonlyMap<string, number>;
}

/** `input_ids int64[1,64] whole numbers below 512`: one input of a plan, for reports. */
export function describePlannedInput(name: string, { dtype, shape, fill }: PlannedInput): string {
  return `${name} ${dtype}[${shape.join(',')}] ${describeFill(fill)}`;
}

function describeFill(fill: Fill): string {
  switch (fill.kind) {
    case 'normal':
      return fill.scale === 1 ? 'normal random numbers' : `normal random numbers times ${fill.scale}`;
    case 'uniform':
      return `random numbers from 0 to ${fill.scale}`;
    case 'below':
      return `random whole numbers below ${fill.below}`;
    case 'constant':
      return `${fill.value} everywhere`;
    case 'positions':
      return 'positions 0, 1, 2, ...';
    case 'given':
      return 'as given';
    case 'text':
      return 'short words';
  }
}
