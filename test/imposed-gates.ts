import { createNode, editGraph, type Graph, indexOf, type Node, type Tensor, tensor, toNumbers } from '@espalier/core';

/** The nodes of a training step whose derivative jumps: Relu, and Clip between two constants. */
export const gatesOf = (graph: Graph): readonly Node[] =>
  graph.nodes.filter(({ op }) => op === 'Relu' || op === 'Clip');

/** Whether each element of a gate's output is below (0), on (1) or above (2). */
export function sidesOf(graph: Graph, gate: Node, output: Tensor): Uint8Array {
  const [low, high] = boundsOf(graph, gate);
  return Uint8Array.from(toNumbers(output), (y) => (y <= low ? 0 : y < high ? 1 : 2));
}

/**
 * The step with its gates set to the given sides, by the gate's output: y = x·on + constant. Any two runs of it compute
 * the same smooth function, whichever side a unit within rounding of its edge would have fallen on.
 */
export function imposeGates(graph: Graph, sides: ReadonlyMap<string, Uint8Array>): Graph {
  const draft = editGraph(graph);
  const { uses } = indexOf(graph);
  const floats = (shape: readonly number[], of: Uint8Array, value: (side: number) => number) =>
    tensor('float32', shape, Float32Array.from(of, value));
  for (const gate of gatesOf(graph)) {
    const [x, y] = [gate.inputs[0]!, gate.outputs[0]!]; // both ops have them
    const own = sides.get(y);
    const shape = graph.values.get(y)?.shape as readonly number[]; // sizes of a step are fixed
    if (!own) throw new Error(`no sides for ${gate.id}`);
    const [low, high] = boundsOf(graph, gate);
    const constant = (name: string, value: (side: number) => number) => {
      draft.setConstant(`${y}/${name}`, floats(shape, own, value));
      return `${y}/${name}`;
    };
    const on = constant('on', (side) => Number(side === 1));
    const rest = constant('rest', (side) => (side === 1 ? 0 : side === 0 ? low : high));
    draft.replace(
      gate.id,
      createNode({ id: `${gate.id}/on`, op: 'Mul', inputs: [x, on], outputs: [`${y}/part`] }),
      createNode({ id: gate.id, op: 'Add', inputs: [`${y}/part`, rest], outputs: [y] }),
    );
    // What the derivatives read: the sign of a Relu's result, or comparisons of a Clip's input, cast to float.
    const readers = (value: string) => (uses.get(value) ?? []).map(({ node }) => node);
    for (const reader of readers(y))
      if (reader.op === 'Sign') draft.replace(reader.id, { ...reader, op: 'Identity', inputs: [on] });
    if (gate.op !== 'Clip') continue;
    const above = constant('above', (side) => Number(side > 0));
    const below = constant('below', (side) => Number(side < 2));
    for (const reader of readers(x))
      if (reader.op === 'Greater' || reader.op === 'Less')
        for (const cast of readers(reader.outputs[0]!))
          draft.replace(cast.id, {
            ...cast,
            op: 'Identity',
            inputs: [reader.op === 'Greater' ? above : below],
            attributes: new Map(),
          });
  }
  return draft.finish();
}

function boundsOf(graph: Graph, { op, inputs }: Node): readonly [number, number] {
  if (op === 'Relu') return [0, Number.POSITIVE_INFINITY];
  const bound = (slot: number) => {
    const constant = graph.constants.get(inputs[slot] ?? '');
    if (!constant) throw new Error(`${op} without a constant at input ${slot}`);
    return toNumbers(constant)[0]!; // a bound is one number
  };
  return [bound(1), bound(2)];
}
