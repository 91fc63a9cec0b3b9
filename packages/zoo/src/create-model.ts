import {
  type AddOptions,
  buildGraph,
  createRandom,
  type Dim,
  emitter,
  type Graph,
  type GraphBuilder,
  longs,
  scalar,
  sizeOf,
  type Tensor,
  type ValueId,
} from '@espalier/core';
import { tooLarge } from './errors.js';
import type { Initial } from './initial.js';

/** A model under construction. Its float constants are exactly its state dict; whatever else it needs are nodes. */
export interface Model extends Pick<GraphBuilder, 'input' | 'add' | 'addAll'> {
  /** A tensor of the state dict; its first values depend on the seed and its name only. */
  weight(name: string, shape: readonly number[], initial: Initial): ValueId;
  /** A number of the architecture, such as the 6 of ReLU6. */
  number(value: number): ValueId;
  /** A tensor of the architecture that is no weight, such as a mask: a Constant node. */
  fixed(name: string, tensor: Tensor): ValueId;
  /** Whole numbers that an op reads: a shape, axes, pads. */
  longs(values: readonly number[]): ValueId;
  /** One whole number without an axis: the index of a Gather that drops the axis. */
  index(value: number): ValueId;
  /** The graph with `output` as its one output, under the shape it has. */
  finish(output: ValueId, shape: readonly Dim[]): Graph;
}

const largestWeight = 2 ** 29; // elements; 2 GiB, what one protobuf message can hold

/** Begins a model; every builder ends with `finish`. @throws MODEL_SIZE on a weight of more than 2^29 elements. */
export function createModel({ name, seed }: { readonly name: string; readonly seed: number }): Model {
  const b = buildGraph({ name, opsets: new Map([['', 18]]), inputs: [], outputs: [], nodes: [] });
  const random = createRandom(seed);
  const { once } = emitter(b, { prefix: name });
  const fixed: Model['fixed'] = (wish, tensor) => {
    const attributes: NonNullable<AddOptions['attributes']> = { value: { kind: 'tensor', value: tensor } };
    return b.add('Constant', [], { name: wish, attributes });
  };
  return {
    input: b.input,
    add: b.add,
    addAll: b.addAll,
    fixed,
    weight(wish, shape, initial) {
      if (sizeOf(shape) > largestWeight) throw tooLarge(name, { name: wish, shape });
      return b.constant(wish, initial(shape, random.fork(wish)));
    },
    number: (value) => once(`number/${value}`, () => fixed(`number/${value}`, scalar(value))),
    longs: (values) => once(`longs/${values}`, () => b.constant(`longs/${values}`, longs(values))),
    index: (value) => once(`index/${value}`, () => b.constant(`index/${value}`, longs([value], []))),
    finish(output, shape) {
      b.info(output, { dtype: 'float32', shape });
      b.output(output);
      return b.finish();
    },
  };
}
