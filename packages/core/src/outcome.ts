import type { Graph, ValueId } from './graph.js';
import type { NoteDetails } from './note-details.js';

/** One line of a report: what became of a tensor or node, and why. */
export interface Note {
  /** Id of the node it is about. */
  readonly node?: string;
  readonly op?: string;
  readonly value?: ValueId;
  readonly outcome: 'quantized' | 'pruned' | 'float' | 'kept' | 'warning';
  /** A plain sentence for a person. */
  readonly reason: string;
  readonly details?: NoteDetails;
}

/** A graph with the account of how it came about. */
export interface Outcome {
  readonly graph: Graph;
  readonly notes: readonly Note[];
}
