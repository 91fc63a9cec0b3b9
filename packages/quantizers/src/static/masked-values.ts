import { type Graph, isFloat, type Node, type Tensor, toNumbers, type ValueId } from '@espalier/core';

/** Ops through which a mask reaches what it masks. */
const spreading: ReadonlySet<string> = new Set([
  ...['Add', 'Sub', 'Mul', 'Neg', 'Min', 'Max', 'Where', 'Expand', 'Tile', 'Trilu', 'Cast', 'Identity'],
  ...['Concat', 'Slice', 'Gather', 'Pad', 'Reshape', 'Flatten', 'Transpose', 'Squeeze', 'Unsqueeze'],
  ...['ScatterND', 'ScatterElements', 'ConstantOfShape'],
]);

const endless = 1e30; // no activation is as large: infinity or the lowest float
const large = 1000; // a mask where it reaches a Softmax: -10000 in older exports

/**
 * Values that carry a mask: a constant of -infinity, the lowest float or -10000 on its way to a Softmax. On a grid that
 * spans the mask the scores beside it would all become one number; on one that does not, where the calibration data
 * masks nothing, the mask would be lost.
 */
export function maskedValues(graph: Graph): ReadonlySet<ValueId> {
  const masks = carriersOf(graph, endless);
  const towards = valuesBeforeSoftmax(graph);
  for (const value of carriersOf(graph, large)) if (towards.has(value)) masks.add(value);
  return masks;
}

function carriersOf(graph: Graph, least: number): Set<ValueId> {
  const carriers = new Set<ValueId>();
  const constants = new Map<ValueId, boolean>();
  const isMask = (value: ValueId): boolean => {
    const constant = graph.constants.get(value);
    if (!constant) return carriers.has(value);
    const known = constants.get(value) ?? reaches(constant, least);
    constants.set(value, known);
    return known;
  };
  for (const node of graph.nodes) {
    if (!spreading.has(node.op)) continue;
    const carries = node.inputs.some((value) => value !== undefined && isMask(value)) || fillsWith(node, least);
    if (carries) for (const value of node.outputs) if (value !== undefined) carriers.add(value);
  }
  return carriers;
}

const reaches = (tensor: Tensor, least: number): boolean =>
  isFloat(tensor.dtype) && toNumbers(tensor).some((value) => Math.abs(value) >= least);

function fillsWith(node: Node, least: number): boolean {
  const fill = node.attributes.get('value');
  return node.op === 'ConstantOfShape' && fill?.kind === 'tensor' && reaches(fill.value, least);
}

function valuesBeforeSoftmax(graph: Graph): ReadonlySet<ValueId> {
  const before = new Set<ValueId>();
  for (const node of graph.nodes.toReversed()) {
    const leads =
      node.op === 'Softmax' ||
      (spreading.has(node.op) && node.outputs.some((value) => value !== undefined && before.has(value)));
    if (leads) for (const value of node.inputs) if (value !== undefined) before.add(value);
  }
  return before;
}
