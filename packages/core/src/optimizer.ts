import type { GraphBuilder } from './build-graph.js';
import type { ValueId } from './graph.js';

/** One parameter at one step: values of a graph under construction. */
export interface OptimizerInput {
  readonly parameter: ValueId;
  readonly gradient: ValueId;
  /** One value per name in `Optimizer.state`, each of the parameter's shape. */
  readonly state: ReadonlyMap<string, ValueId>;
  /** float32 scalar. */
  readonly learningRate: ValueId;
  /** float32 scalar that counts from 1. */
  readonly step: ValueId;
  /** Factor on the optimizer's weight decay; usually 1 for weights, 0 for biases and the scales of norms. */
  readonly decay: number;
}

/** An optimizer as a graph builder: appends the update of one parameter. */
export interface Optimizer {
  /** Names of the tensors kept per parameter; they have the parameter's shape and begin as zeros. */
  readonly state: readonly string[];
  /** Where the learning rate begins, if it was said here and not to the trainer; updates read it from their input. */
  readonly learningRate?: number;
  update(
    builder: GraphBuilder,
    of: OptimizerInput,
  ): { readonly parameter: ValueId; readonly state: ReadonlyMap<string, ValueId> };
}
