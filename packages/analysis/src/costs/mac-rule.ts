import type { Node } from '@espalier/core';

/** What a rule sees of a node: the shapes of its inputs and outputs, by slot; undefined where not known. */
export interface NodeShapes {
  readonly node: Node;
  readonly input: (slot: number) => readonly number[] | undefined;
  readonly output: (slot: number) => readonly number[] | undefined;
}

/**
 * How to count the multiply-accumulates of an op: the slots of the two operands that are multiplied (activation
 * first, weight second), and the count from the shapes; undefined when a shape it needs is not known.
 */
export interface MacRule {
  readonly operands: readonly [activation: number, weight: number];
  readonly macs: (shapes: NodeShapes) => number | undefined;
}
