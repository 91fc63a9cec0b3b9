import { createNode, definePlugin, editGraph, int, matchNames, opsetOf, sizeOf, tensor, usesOf } from '@espalier/core';
import { isRefusal, layerOf, weightIn } from '@espalier/ops';
import { ternarize } from './ternarize.js';

/** @import { AxisRules, Graph, Note, Tensor } from '@espalier/core' */
/** @import { LayerWeight } from '@espalier/ops' */

/** Layers that multiply their input with a weight; recurrent layers and tables that are looked up stay float. */
const kinds = ['convolution', 'product', 'custom'];

/** The weights of layers become -1, 0 or 1 times a scale for each output channel. */
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
    (graph, { axes } = {}) => ({
      graph,
      needs: [],
      apply: () => quantize(graph, { threshold, ignored: matchNames(ignore), axes }),
    }),
});

/**
 * @param {Graph} graph
 * @param {{ readonly threshold: number, readonly ignored: (name: string) => boolean, readonly axes?: AxisRules }} options
 */
function quantize(graph, { threshold, ignored, axes }) {
  const draft = editGraph(graph);
  /** @type {Note[]} */
  const notes = [];
  /** @type {Set<string>} */
  const seen = new Set();
  for (const node of graph.nodes) {
    const layer = layerOf(graph, node, axes);
    if (isRefusal(layer) || !kinds.includes(layer.kind)) continue;
    const [{ value, outputs }] = layer.weights;
    const weight = graph.constants.get(value);
    if (!weight || seen.has(value)) continue;
    seen.add(value);
    const about = { node: node.id, op: node.op, value };
    const reason = ignored(node.id)
      ? 'A pattern of `ignore` names it.'
      : whyFloat(graph, layer.weights[0], { weight, axes });
    if (reason !== undefined || weight.dtype !== 'float32') {
      notes.push({ ...about, outcome: 'float', reason: reason ?? 'Its weight is not float32.' });
      continue;
    }
    const axis = outputs[0];
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
 * @param {LayerWeight} of
 * @param {{ readonly weight: Tensor, readonly axes?: AxisRules }} options
 * @returns {string | undefined}
 */
function whyFloat(graph, { value, outputs }, { weight, axes }) {
  if (opsetOf(graph) < 13) return 'Scales for each channel need opset 13 or newer.';
  if (outputs.length !== 1 || sizeOf(weight.shape) === 0) return 'Its weight has no single axis of outputs.';
  const alike = usesOf(graph, value).every((use) => weightIn(graph, use, axes)?.outputs.join() === outputs.join());
  return alike && !graph.outputs.includes(value) ? undefined : 'Its weight is read in another way too.';
}
