import {
  buildGraph,
  type Emitter,
  emitter,
  type Graph,
  type GraphBuilder,
  int,
  ints,
  opsetOf,
  type ValueId,
} from '@espalier/core';
import { gradientNotAsked } from './errors.js';
import type { GradientOf } from './gradient-of.js';

/** A reduction that every opset has. */
export type Reduction = 'ReduceL1' | 'ReduceMin' | 'ReduceMax' | 'ReduceSum' | 'ReduceMean' | 'ReduceSumSquare';

/** The part of a builder that adds nodes; the bodies of loops have it too. */
export type Adder = Pick<GraphBuilder, 'add'>;

/** A graph under observation: the model, and the nodes that condense its values. */
export interface StatisticsGraph extends Pick<Emitter, 'once' | 'longs' | 'scalar'> {
  /** The model, without additions. */
  readonly model: Graph;
  readonly builder: GraphBuilder;
  /** The value as float32. */
  asFloat(value: ValueId): ValueId;
  /** The value as float32[A, C, B], where C is `axis`, A all axes before and B all after it. */
  around(value: ValueId, axis: number): ValueId;
  /**
   * The sum of absolute values, a float32 scalar that is NaN exactly when the value holds NaN. The smallest and the
   * largest value do not tell: the reductions of a runtime may pass over a NaN.
   */
  magnitude(value: ValueId): ValueId;
  /** Reduces over `axes`, or over everything, in the form this opset wants. */
  reduce(op: Reduction, value: ValueId, options?: ReduceOptions): ValueId;
  /**
   * The value that holds the gradient of the loss, and for what a node reads also `read`, the value that it is to.
   * Only for what the collector said under `gradients`.
   */
  gradient(of: GradientOf): { readonly gradient: ValueId; readonly read: ValueId };
}

/** Options of a reduction. */
export interface ReduceOptions {
  readonly axes?: readonly number[];
  readonly keep?: boolean;
  /** Where the node goes; the graph itself when left out. */
  readonly into?: Adder;
}

/** Opens a model for observation; its own outputs are dropped. */
export function observe(model: Graph, gradient: StatisticsGraph['gradient'] = noGradients): StatisticsGraph {
  const builder = buildGraph({ ...model, outputs: [] });
  const opset = opsetOf(model);
  const { once, longs, scalar } = emitter(builder, { prefix: 'statistics' });

  const asFloat = (value: ValueId): ValueId => {
    const dtype = (model.constants.get(value) ?? model.values.get(value))?.dtype;
    if (dtype === 'float32') return value;
    return once(`float ${value}`, () =>
      builder.add('Cast', [value], { name: `${value}/float`, attributes: { to: int(float32) } }),
    );
  };

  const reduce: StatisticsGraph['reduce'] = (op, value, { axes, keep = false, into = builder } = {}) => {
    const name = `${value}/${op}`;
    const keepdims = int(keep ? 1 : 0);
    if (!axes) return into.add(op, [value], { name, attributes: { keepdims } });
    if (opset >= (op === 'ReduceSum' ? 13 : 18)) {
      return into.add(op, [value, longs(axes)], { name, attributes: { keepdims } });
    }
    return into.add(op, [value], { name, attributes: { axes: ints(axes), keepdims } });
  };

  return {
    model,
    builder,
    gradient,
    once,
    longs,
    scalar,
    asFloat,
    reduce,
    magnitude: (value) => once(`magnitude ${value}`, () => reduce('ReduceL1', asFloat(value))),
    around: (value, axis) =>
      once(`around ${axis} ${value}`, () => {
        const source = asFloat(value);
        const size = builder.add('Gather', [builder.add('Shape', [value]), longs([axis])]);
        const shape = builder.add('Concat', [longs([0]), size, longs([-1])], { attributes: { axis: int(0) } });
        const flat = builder.add('Flatten', [source], { attributes: { axis: int(axis) } });
        return builder.add('Reshape', [flat, shape], { name: `${value}/around` });
      }),
  };
}

const noGradients = (): never => {
  throw gradientNotAsked();
};

const float32 = 1; // TensorProto.DataType.FLOAT
