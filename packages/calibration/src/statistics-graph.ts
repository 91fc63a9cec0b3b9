import {
  buildGraph,
  emitter,
  type Graph,
  int,
  ints,
  opsetOf,
  type StatisticsGraph,
  type ValueId,
} from '@espalier/core';
import { gradientNotAsked } from './errors.js';

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
