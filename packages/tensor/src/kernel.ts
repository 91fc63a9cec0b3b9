import type { Node } from '@espalier/core';
import type { Heap } from './heap.js';
import type { Value } from './value.js';

/** One node to be computed, with the values of its inputs. */
export interface Call {
  readonly node: Node;
  /** Version of the default ONNX domain. */
  readonly opset: number;
  readonly heap: Heap;
  readonly inputs: readonly (Value | undefined)[];
  /** Whether nothing reads input `slot` after this node, so that its memory may be taken over. */
  dies(slot: number): boolean;
}

/**
 * Computes the outputs of a node, one per slot, as new values. `undefined` says that this form or type is not
 * covered; the node is then computed on the host, where that is possible. A kernel may take over the memory of
 * inputs that die, and otherwise leaves them alone.
 */
export type Kernel = (call: Call) => readonly Value[] | undefined;
