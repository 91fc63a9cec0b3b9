import type { OpName } from './op-names.js';

/**
 * Ops that hand on the elements of their first input and compute nothing. `keeps`: every element once, perhaps in
 * another order or shape. `picks`: some of them. `repeats`: all of them, perhaps several times.
 */
export type Movement = 'keeps' | 'picks' | 'repeats';

/** The ops that only move elements; `layerForms` makes every other op say what else it does. */
export const movements = {
  DepthToSpace: 'keeps',
  Dropout: 'keeps', // while it is not trained
  Expand: 'repeats',
  Flatten: 'keeps',
  Identity: 'keeps',
  Reshape: 'keeps',
  Slice: 'picks',
  SpaceToDepth: 'keeps',
  Split: 'picks',
  Squeeze: 'keeps',
  Tile: 'repeats',
  Transpose: 'keeps',
  Unsqueeze: 'keeps',
  'com.microsoft::ExpandDims': 'keeps',
} as const satisfies Partial<Record<OpName, Movement>>;

/** An op that only moves elements. */
export type MovementOp = keyof typeof movements;

const byOp: ReadonlyMap<string, Movement> = new Map(Object.entries(movements));

/**
 * The way an op moves the elements of its first input; undefined for ops that do something else. Callers whose question
 * is wider (what keeps units apart, what may stand before a softmax) add their own ops to it: pools, norms, scales.
 */
export const movementOf = (op: string): Movement | undefined => byOp.get(op);
