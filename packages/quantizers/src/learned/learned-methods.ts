import type { LearnedMethod } from './learned-settings.js';

/** The numbers that the quantizers of weights and activations learn under one method. */
export interface MethodParts {
  /** Whether scales of weights are trained. */
  readonly weightScales: boolean;
  /** Whether scales of activations are trained, and by which slope. */
  readonly activationScales: 'lsq' | 'pact' | 'fixed';
  /** Whether the zero points of activations are trained. */
  readonly offsets: boolean;
}

/**
 * The methods by name.
 * - `lsq`: learned step sizes (Esser et al. 2020, arXiv 1902.08153).
 * - `lsq+`: with learned zero points of activations (Bhalgat et al. 2020, arXiv 2004.09576).
 * - `pact`: only what is clipped moves the scale of an activation (Choi et al. 2018, arXiv 1805.06085), with the
 *   learned step sizes of `lsq` for weights.
 * - `ste`: fixed scales and straight-through gradients (Jacob et al. 2018, arXiv 1712.05877).
 */
export const methods = {
  lsq: { weightScales: true, activationScales: 'lsq', offsets: false },
  'lsq+': { weightScales: true, activationScales: 'lsq', offsets: true },
  pact: { weightScales: true, activationScales: 'pact', offsets: false },
  ste: { weightScales: false, activationScales: 'fixed', offsets: false },
} as const satisfies Record<LearnedMethod, MethodParts>;
