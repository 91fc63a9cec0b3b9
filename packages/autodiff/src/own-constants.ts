import { editGraph, type Graph, isFloat, type Node, type Tensor, type ValueId } from '@espalier/core';
import { constantUses } from './constant-uses.js';

const normSlots = [undefined, 'scale', 'bias', 'running_mean', 'running_variance'] as const;

/**
 * The same graph with weights as constants, and constants of its own for each layer. Constant nodes of weights become
 * constants under the names of their outputs. Exporters and passes may have made one of equal constants (a fresh net
 * has ones and zeros everywhere), but training moves each its own way: parameters that are one number throughout, and
 * everything of batch norms, are taken apart, by the names that Identity nodes kept for them where there are such.
 * Other constants that several layers share stay shared, as tied embeddings do. The same object comes back when there
 * is nothing to do.
 */
export function ownConstants(graph: Graph): Graph {
  const lifted = withoutConstantNodes(graph, () => true);
  const weights = new Set<ValueId>();
  const trained = new Set<string>();
  for (const [value, uses] of constantUses(lifted)) {
    for (const { node, slot, answer } of uses) {
      if (answer.role === undefined) continue;
      weights.add(value);
      if (answer.role !== 'quantizer') trained.add(`${slot} ${node.id}`);
    }
  }
  const draft = editGraph(withoutConstantNodes(graph, (value) => weights.has(value)));
  const seen = new Set<ValueId>();
  for (const node of lifted.nodes) {
    let changed = false;
    const norm = node.op === 'BatchNormalization';
    const inputs = node.inputs.map((value, slot) => {
      const tensor = value === undefined ? undefined : lifted.constants.get(value);
      if (value === undefined || !tensor) return value;
      if (!(norm && slot > 0) && !(trained.has(`${slot} ${node.id}`) && isUniform(tensor))) return value;
      if (!seen.has(value)) {
        seen.add(value);
        return value;
      }
      const own = draft.constant(`${node.id}_${(norm ? normSlots[slot] : undefined) ?? `input${slot}`}`, tensor);
      changed = true;
      return own;
    });
    if (changed) draft.replace(node.id, { ...node, inputs });
  }
  return draft.finish();
}

/** Constant nodes, and Identity nodes of constants that are one number throughout, as constants where wanted. */
function withoutConstantNodes(graph: Graph, wanted: (value: ValueId) => boolean): Graph {
  const draft = editGraph(graph);
  const made = new Map<ValueId, Tensor>();
  for (const node of graph.nodes) {
    const output = node.outputs[0];
    const tensor = constantOf(graph, node, made);
    if (!tensor || output === undefined || graph.outputs.includes(output)) continue;
    made.set(output, tensor);
    if (!wanted(output)) continue;
    draft.setConstant(output, tensor);
    draft.setInfo(output, undefined);
    draft.replace(node.id);
  }
  return draft.finish();
}

function constantOf(graph: Graph, node: Node, made: ReadonlyMap<ValueId, Tensor>): Tensor | undefined {
  if (node.op === 'Constant') {
    const value = node.attributes.get('value');
    return value?.kind === 'tensor' && isFloat(value.value.dtype) ? value.value : undefined;
  }
  const source = node.op === 'Identity' ? node.inputs[0] : undefined;
  const tensor = source === undefined ? undefined : (made.get(source) ?? graph.constants.get(source));
  return tensor && isUniform(tensor) ? tensor : undefined;
}

/** Whether a float tensor of at least one axis holds one number throughout. */
const isUniform = ({ dtype, shape, data }: Tensor): boolean =>
  dtype === 'float32' && shape.length > 0 && data.length > 0 && data.every((each) => each === data[0]);
