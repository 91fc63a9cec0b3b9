import type { AxisRules, Grid, Observer, Target } from '@espalier/core';
import type { LeftOut } from '../node-choice.js';
import type { WeightClip } from '../weight-ranges.js';

/** The resolved options of the static quantizer. */
export interface StaticSettings {
  readonly target: Target;
  readonly weights: Grid;
  readonly perChannel: boolean;
  readonly clip: WeightClip;
  readonly activations: Grid;
  /** Whether the target computes on these codes; else it decodes them and computes in float. */
  readonly fused: boolean;
  readonly observer: Observer;
  /** Whether outputs of the graph are quantized too where the op could leave them float. */
  readonly outputs: boolean;
  /** Whether weights of ops without an integer kernel are stored as integers too. */
  readonly storage: boolean;
  /** Axis rules of custom ops. */
  readonly rules: AxisRules;
  /** Why an op type or a node is left out by the options; undefined when it is not. */
  readonly leftOut: LeftOut;
}
