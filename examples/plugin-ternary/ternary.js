import {
  createNode,
  definePlugin,
  editGraph,
  int,
  intOf,
  matchNames,
  opsetOf,
  sizeOf,
  tensor,
  usesOf,
} from '@espalier/core';
import { ternarize } from './ternarize.js';

/** @import { Graph, Node, Note, Tensor } from '@espalier/core' */

/**
 * The axis of the output channels in the weight of each op that is quantized.
 * @type {Readonly<Record<string, (node: Node, shape: readonly number[]) => number>>}
 */
const channelAxis = {
  Conv: () => 0,
  Gemm: (node) => (intOf(node, 'transB', 0) ? 0 : 1),
  MatMul: (_, shape) => shape.length - 1,
};

/** Weights of Conv, Gemm and MatMul become -1, 0 or 1 times a scale for each output channel. */
export const ternary = definePlugin({
  kind: 'quantizer',
  id: 'ternary',
  about: 'Makes every weight -1, 0 or 1 times a scale for each output channel.',
  options: {
    threshold: {
      type: 'number',
      default: 0.75,
      min: 0,
      about: 'weights up to this share of the mean size in their channel become 0',
    },
    ignore: { type: 'texts', default: [], about: 'patterns of node ids to leave float (* and ?)' },
  },
  create:
    ({ threshold, ignore }) =>
    (graph) => ({
      graph,
      needs: [],
      apply: () => quantize(graph, { threshold, ignored: matchNames(ignore) }),
    }),
});

/**
 * @param {Graph} graph
 * @param {{ readonly threshold: number, readonly ignored: (name: string) => boolean }} options
 */
function quantize(graph, { threshold, ignored }) {
  const draft = editGraph(graph);
  /** @type {Note[]} */
  const notes = [];
  /** @type {Set<string>} */
  const seen = new Set();
  for (const node of graph.nodes) {
    const value = node.inputs[1];
    const weight = value === undefined ? undefined : graph.constants.get(value);
    if (!Object.hasOwn(channelAxis, node.op) || value === undefined || !weight || seen.has(value)) continue;
    seen.add(value);
    const about = { node: node.id, op: node.op, value };
    const reason = ignored(node.id) ? 'A pattern of `ignore` names it.' : whyFloat(graph, value, weight);
    if (reason !== undefined || weight.dtype !== 'float32') {
      notes.push({ ...about, outcome: 'float', reason: reason ?? 'Its weight is not float32.' });
      continue;
    }
    const axis = channelAxis[node.op](node, weight.shape);
    const { codes, scales } = ternarize(weight.data, { shape: weight.shape, axis, threshold });
    const quantized = draft.fresh(`${value}_quantized`);
    const scale = draft.fresh(`${value}_scale`);
    const dequantized = draft.fresh(`${value}_dequantized`);
    draft.setConstant(quantized, tensor('int8', weight.shape, codes));
    draft.setConstant(scale, tensor('float32', [scales.length], scales));
    draft.removeConstant(value);
    draft.redirect(value, dequantized);
    draft.setInfo(dequantized, { dtype: 'float32', shape: weight.shape });
    draft.prepend(
      createNode({
        id: draft.fresh(`${value}_DequantizeLinear`),
        op: 'DequantizeLinear',
        inputs: [quantized, scale],
        outputs: [dequantized],
        attributes: { axis: int(axis) },
      }),
    );
    const zeros = codes.reduce((count, code) => count + (code === 0 ? 1 : 0), 0);
    notes.push({
      ...about,
      outcome: 'quantized',
      reason: `Ternary, ${((100 * zeros) / codes.length).toFixed(0)} % zeros, a scale for each of ${scales.length} channels.`,
      details: { bits: 2, zeros, elements: codes.length },
    });
  }
  return { graph: draft.finish(), notes };
}

/**
 * Why a weight cannot be replaced; undefined when it can.
 * @param {Graph} graph
 * @param {string} value
 * @param {Tensor} weight
 * @returns {string | undefined}
 */
function whyFloat(graph, value, weight) {
  if (opsetOf(graph) < 13) return 'Scales for each channel need opset 13 or newer.';
  if (weight.shape.length < 2 || sizeOf(weight.shape) === 0) return 'Its second input is no weight matrix.';
  const uses = usesOf(graph, value);
  const first = uses[0]?.node;
  const axes = uses.map(({ node, slot }) => (slot === 1 ? channelAxis[node.op]?.(node, weight.shape) : undefined));
  if (graph.outputs.includes(value) || !first || axes.some((axis) => axis === undefined || axis !== axes[0])) {
    return 'Its weight is read in another way too.';
  }
  return undefined;
}
