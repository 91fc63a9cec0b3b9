import type { ValueId } from '@espalier/core';

/** The target of a gradient of the loss: a constant, or the value at one input of a node. */
export type GradientOf = ValueId | { readonly node: string; readonly slot: number };
