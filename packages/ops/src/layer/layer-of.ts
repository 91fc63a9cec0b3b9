import { type AxisRules, floatOf, type Graph, type Node, tensorInfo } from '@espalier/core';
import { isOpName } from '../op-names.js';
import { isRefusal, type Layer, type LayerWeight, type Refusal } from './layer.js';
import { layerByRule } from './layer-by-rule.js';
import type { LayerForm, Operand } from './layer-form.js';
import { layerForms } from './layer-forms.js';

/**
 * The weights of a node: constants that its result sums over, or rows of tables that it looks up, and what each of
 * their axes is. A custom op is a layer where its axis rule gives a constant the role `sums`; a rule for a known op
 * replaces what is known of it.
 *
 *     const layer = layerOf(graph, node);
 *     if (isRefusal(layer)) return layer.reason; // "Relu works on each element"
 *     layer.weights[0].outputs; // Conv: [0]; Gemm: [1], with transB [0]; MatMul: [rank - 1]
 */
export function layerOf(graph: Graph, node: Node, rules?: AxisRules): Layer | Refusal {
  const layer = operandsOf(graph, node, rules);
  if (isRefusal(layer)) return layer;
  const weights = layer.weights.filter(({ value }) => graph.constants.has(value));
  return weights.length > 0 ? { ...layer, weights } : { reason: `the weights of ${node.op} are computed at run time` };
}

/** The same with all operands that could be weights, constant or not, as far as their ranks are known. */
export function operandsOf(graph: Graph, node: Node, rules?: AxisRules): Layer | Refusal {
  const rule = rules?.get(node.op);
  if (rule) return layerByRule(graph, node, rule);
  if (!isOpName(node.op)) return { reason: `how the axes of ${node.op} relate is not known` };
  const form: LayerForm | string = layerForms[node.op];
  if (typeof form === 'string') return { reason: `${node.op} ${form}` };
  const refusal = form.refuse?.(node);
  if (refusal !== undefined) return { reason: `${node.op} ${refusal}` };
  const operands = form.operands.map((operand) => weightAt(graph, node, operand));
  const weights = operands.filter((operand) => typeof operand === 'object');
  if (weights.length === 0) {
    return { reason: operands.find((operand) => typeof operand === 'string') ?? `${node.op} lacks its operands` };
  }
  const factor = (name: string | undefined) => (name === undefined ? 1 : floatOf(node, name, 1));
  return {
    node,
    kind: form.kind,
    weights,
    ...(form.bias === undefined ? {} : { bias: form.bias }),
    factors: { product: factor(form.factors?.product), bias: factor(form.factors?.bias) },
    fused: form.fused ?? false,
  };
}

/** The weight that a node reads in a slot; undefined where that slot holds none. */
export function weightIn(graph: Graph, use: { readonly node: Node; readonly slot: number }, rules?: AxisRules) {
  const layer = operandsOf(graph, use.node, rules);
  return isRefusal(layer) ? undefined : layer.weights.find(({ slot }) => slot === use.slot);
}

function weightAt(graph: Graph, node: Node, { axes, data, ...rest }: Operand): LayerWeight | string | undefined {
  const value = node.inputs[rest.slot];
  const rank = value === undefined ? undefined : tensorInfo(graph, value)?.shape?.length;
  if (value === undefined) return undefined;
  if (rank === undefined) return `the rank of "${value}" is not known`;
  const found = axes(node, rank);
  if (typeof found === 'string') return found;
  const meets = data?.(node);
  return { ...found, ...rest, value, ...(meets === undefined ? {} : { data: meets }) };
}
