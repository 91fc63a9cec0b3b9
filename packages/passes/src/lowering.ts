import type { Draft, Graph, Node } from '@espalier/core';

/** The facts and actions available to a lowering. */
export interface LoweringContext {
  readonly graph: Graph;
  /** For fresh names and constants; the nodes are replaced by the caller. */
  readonly draft: Draft;
  /** Whether QuantizeLinear and DequantizeLinear may be used where they compute the same. */
  readonly qdq: boolean;
}

/** Writes one custom node as standard ones that compute the same outputs. */
export type Lowering = (node: Node, context: LoweringContext) => readonly Node[];
