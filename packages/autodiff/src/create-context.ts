import {
  type Dim,
  emitter,
  floats,
  type Graph,
  type GraphBuilder,
  int,
  isFloat,
  type Node,
  sizeOf,
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
  const shared = emitter(b, { prefix: 'gradient' });

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
    const e = shared.under(`${node.id}/gradient`);
    const shapeOf = (value: ValueId): ValueId => {
      const known = tensorInfo(graph, value)?.shape;
      return known?.every((dim) => typeof dim === 'number')
        ? e.longs(known as readonly number[])
        : e.emit('Shape', [value]); // all numbers, as checked
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
      ...e,
      ones: (size) =>
        e.once(`ones ${size}`, () => b.constant('ones', floats(new Float32Array(sizeOf(size)).fill(1), size))),
      shapeOf,
      zerosLike: (value) => e.emit('Expand', [e.scalar(0), shapeOf(value)]),
      unbroadcast: (gradient, value) => unbroadcast({ ...e, node, shapeOf, shape }, gradient, value),
    };
  };
}

type Shaped = Pick<DerivativeContext, 'node' | 'emit' | 'longs' | 'shapeOf' | 'shape'>;

/** The gradient has the shape of the op's output; axes where the input has size 1, or none at all, are summed. */
function unbroadcast(c: Shaped, gradient: ValueId, value: ValueId): ValueId {
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
