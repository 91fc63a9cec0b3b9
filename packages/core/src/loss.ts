import type { GraphBuilder } from './build-graph.js';
import type { ValueId, ValueInfo } from './graph.js';

/** Values of the model that a loss may use. */
export interface LossSite {
  /** Type of the model's output. */
  readonly output: ValueInfo;
  /** Type of any value of the model; undefined when it is not known. */
  info(value: ValueId): ValueInfo | undefined;
}

/** A training loss: appends itself to a graph and returns a scalar, the mean over the batch. */
export interface Loss {
  /** `logits` where the loss has a softmax of its own: a Softmax that ends the model is then left out. */
  readonly reads?: 'logits';
  /** Type of the target; that of the output when left out. */
  target?(site: LossSite): ValueInfo;
  /** Further inputs that are fed at each step (a teacher's logits), by name. */
  inputs?(site: LossSite): ReadonlyMap<string, ValueInfo>;
  /** The teacher's values for them: by the name of the input, a value of the teacher, or `output`, its first output. */
  readonly teacher?: ReadonlyMap<string, { readonly value: ValueId } | 'output'>;
  build(
    builder: GraphBuilder,
    of: { readonly output: ValueId; readonly target: ValueId; readonly inputs?: ReadonlyMap<string, ValueId> },
  ): ValueId;
}
