import type { Graph, Tensor } from '@espalier/core';
import type { Draft } from './schema.js';

/** Where the bytes of a tensor go in a file beside the model. */
export interface ExternalRange {
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

/** State shared by the writers of the single messages. */
export interface EncodeContext {
  /** Whether mostly-zero weights are written as sparse tensors. */
  readonly sparse: boolean;
  /** Moves the bytes of a weight out of the model; undefined leaves them inside. */
  external(tensor: Tensor): ExternalRange | undefined;
  /** Writes the graph of an attribute; here so that graphs and attributes need not import each other. */
  graph(graph: Graph): Draft<'Graph'>;
}
