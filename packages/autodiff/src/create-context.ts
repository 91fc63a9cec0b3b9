import {
  type Dim,
  floats,
  type Graph,
  type GraphBuilder,
  int,
  isFloat,
  longs,
  type Node,
  tensorInfo,
  toNumbers,
  type ValueId,
} from '@espalier/core';
import type { DerivativeContext } from './derivative.js';
import { missingInput, unknownShape } from './errors.js';

/** The known facts about gradients while a node's rule runs. */
interface Surroundings {
  readonly gradientOf: (value: ValueId) => ValueId | undefined;
  readonly wants: (value: ValueId) => boolean;
}

/** Makes the contexts of rules for one graph; constants are shared between them. */
export function createContext(graph: Graph, b: GraphBuilder): (node: Node, around: Surroundings) => DerivativeContext {
  const constants = new Map<string, ValueId>();
  const shared = (key: string, make: () => ValueId): ValueId => {
    const known = constants.get(key) ?? make();
    constants.set(key, known);
    return known;
  };
  const scalar = (value: number) => shared(`f${value}`, () => b.constant('number', floats([value], [])));
  const longList = (values: readonly number[]) =>
    shared(`i${values.join()}`, () => b.constant('numbers', longs(values)));

  return (node, { gradientOf, wants }) => {
    const input = (slot: number): ValueId => {
      const value = node.inputs[slot];
      if (value === undefined) throw missingInput(node, slot);
      return value;
    };
    const shape = (value: ValueId): readonly Dim[] => {
      const known = tensorInfo(graph, value)?.shape;
      if (!known) throw unknownShape(node, value);
      return known;
    };
    const emitAll: DerivativeContext['emitAll'] = (op, inputs, { outputs, attributes }) =>
      b.addAll(op, inputs, {
        outputs,
        name: `${node.id}/gradient/${op.replace(/^.*::/, '')}`,
        ...(attributes ? { attributes } : {}),
      });
    const emit: DerivativeContext['emit'] = (op, inputs, attributes) =>
      emitAll(op, inputs, { outputs: 1, ...(attributes ? { attributes } : {}) })[0]!; // one was asked for
    const shapeOf = (value: ValueId): ValueId => {
      const known = tensorInfo(graph, value)?.shape;
      return known?.every((dim) => typeof dim === 'number')
        ? longList(known as readonly number[])
        : emit('Shape', [value]); // all numbers, as checked
    };
    return {
      node,
      input,
      output: (slot) => node.outputs[slot]!,
      gradient: (slot) => {
        const output = node.outputs[slot];
        return output === undefined ? undefined : gradientOf(output);
      },
      wants: (slot) => node.inputs[slot] !== undefined && wants(input(slot)),
      shape,
      isFloat: (value) => isFloat(tensorInfo(graph, value)?.dtype ?? 'float32'),
      isConstant: (value) => graph.constants.has(value),
      numbers(value) {
        const constant = value === undefined ? undefined : graph.constants.get(value);
        return constant && toNumbers(constant);
      },
      emit,
      emitAll,
      scalar,
      floats: (values, size) => b.constant('numbers', floats(values, size)),
      ones: (size) =>
        shared(`ones${size.join()}`, () =>
          b.constant('ones', floats(new Float32Array(size.reduce((product, dim) => product * dim, 1)).fill(1), size)),
        ),
      longs: longList,
      shapeOf,
      zerosLike: (value) => emit('Expand', [scalar(0), shapeOf(value)]),
      unbroadcast: (gradient, value) => unbroadcast({ node, emit, longs: longList, shapeOf, shape }, gradient, value),
    };
  };
}

type Emitter = Pick<DerivativeContext, 'node' | 'emit' | 'longs' | 'shapeOf' | 'shape'>;

/** The gradient has the shape of the op's output; axes where the input has size 1, or none at all, are summed. */
function unbroadcast(c: Emitter, gradient: ValueId, value: ValueId): ValueId {
  const target = c.shape(value);
  const output = c.shape(c.node.outputs[0]!);
  const extra = output.length - target.length;
  const axes = output.flatMap((dim, i) => {
    if (i < extra) return [i];
    const own = target[i - extra]!;
    return own === 1 && dim !== 1 ? [i] : [];
  });
  if (axes.length === 0) return gradient;
  const summed = c.emit('ReduceSum', [gradient, c.longs(axes)], { keepdims: int(extra > 0 ? 0 : 1) });
  return extra > 0 && axes.length > extra ? c.emit('Reshape', [summed, c.shapeOf(value)]) : summed;
}
