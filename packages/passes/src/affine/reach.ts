import { type Graph, indexOf, type Node, opsetOf, toNumbers, usesOf, type ValueId } from '@espalier/core';

/** The one node that reads a value; undefined when there are more readers, or when the graph returns the value. */
export function onlyReader(graph: Graph, value: ValueId, outputs: ReadonlySet<ValueId>): Node | undefined {
  const uses = usesOf(graph, value);
  return uses.length === 1 && uses[0]!.slot >= 0 && !outputs.has(value) ? uses[0]!.node : undefined;
}

/** Whether a node returns its first input as it is: Identity, and Dropout outside of training or with ratio 0. */
export function passesThrough(graph: Graph, node: Node): boolean {
  if (node.op === 'Identity') return true;
  if (node.op !== 'Dropout' || node.outputs.slice(1).some((value) => value !== undefined)) return false;
  const opset = opsetOf(graph);
  if (opset > 0 && opset < 7) {
    const flag = node.attributes.get('is_test');
    return flag?.kind === 'int' && flag.value === 1;
  }
  // Written with a ratio of zero, some exports leave it in training mode.
  return node.inputs[2] === undefined || isZero(graph, node.inputs[2]) || isZero(graph, node.inputs[1]);
}

function isZero(graph: Graph, value: ValueId | undefined): boolean {
  const constant = value === undefined ? undefined : graph.constants.get(value);
  return constant !== undefined && toNumbers(constant)[0] === 0;
}

/** A node with the pass-through nodes on the way to it. */
export interface Reached {
  readonly node: Node;
  readonly through: readonly Node[];
}

/** The node that makes a value nobody else reads, seen through Identity and Dropout. */
export function makerOf(graph: Graph, value: ValueId, outputs: ReadonlySet<ValueId>): Reached | undefined {
  const through: Node[] = [];
  for (let at: ValueId | undefined = value; at !== undefined; ) {
    const node = indexOf(graph).producer.get(at);
    if (!node || !onlyReader(graph, at, outputs)) return undefined;
    if (!passesThrough(graph, node)) return { node, through };
    through.push(node);
    at = node.inputs[0];
  }
  return undefined;
}

/** The node that alone reads a value, seen through Identity and Dropout. */
export function readerOf(graph: Graph, value: ValueId, outputs: ReadonlySet<ValueId>): Reached | undefined {
  const through: Node[] = [];
  for (let at: ValueId | undefined = value; at !== undefined; ) {
    const node = onlyReader(graph, at, outputs);
    if (!node) return undefined;
    if (!passesThrough(graph, node)) return { node, through };
    through.push(node);
    at = node.outputs[0];
  }
  return undefined;
}
