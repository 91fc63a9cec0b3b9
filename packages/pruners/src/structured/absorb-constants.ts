import { type AxisSite, type Draft, floats, intsOf, type Node, sizeOf, usesOf, type ValueId } from '@espalier/core';
import { axisAt, isRefusal, stridesOf } from '@espalier/ops';
import type { Remaining } from './removal.js';
import { changedAxis, type RemovedConstants, removedConstants } from './removed-constants.js';

const convs = new Set(['Conv', 'com.microsoft::FusedConv']);
const gemms = new Set(['Gemm', 'com.microsoft::FusedGemm']);
/** Layers that are given another bias here. */
const hasBias = (op: string): boolean => convs.has(op) || gemms.has(op) || op === 'MatMul';

/**
 * Adds to the sums of layers what removed constants fed into them: `b + sum_c k_c * sum_xy W[:, c, x, y]` over the
 * removed input channels c. Exact for products of matrices and for convolutions without padding; a padded
 * convolution sees no constant at its borders and is left. Returns the replaced nodes.
 */
export function absorbConstants(remaining: Remaining, draft: Draft): ReadonlyMap<string, Node> {
  const { graph } = remaining.net;
  const constants = removedConstants(remaining);
  const replaced = new Map<string, Node>();
  for (const node of graph.nodes) {
    if (!hasBias(node.op)) continue;
    const site = remaining.net.relations.site(node);
    const sums = addedSums(site, remaining, constants);
    if (!sums) continue;
    const y = site.outputs[0]!; // related before
    const kept = remaining.indices(y.axes[convs.has(node.op) ? 1 : y.axes.length - 1]!);
    const left = floats(Float32Array.from(kept, (i) => sums[i]!));
    if (node.op === 'MatMul') {
      const raw = draft.fresh(`${y.value}_sums`);
      const add: Node = {
        id: draft.fresh(`${node.id}_absorbed`),
        op: 'Add',
        inputs: [raw, constant(draft, node, left)],
        outputs: [y.value],
        attributes: new Map(),
      };
      draft.insertAfter(node.id, add);
      replaced.set(node.id, { ...node, outputs: [raw] });
    } else {
      const inputs = [node.inputs[0], node.inputs[1], constant(draft, node, left), ...node.inputs.slice(3)];
      replaced.set(node.id, { ...node, inputs });
      const old = node.inputs[2];
      if (old !== undefined && usesOf(graph, old).length === 1) draft.removeConstant(old);
    }
  }
  return replaced;
}

function constant(draft: Draft, node: Node, bias: ReturnType<typeof floats>): ValueId {
  const value = draft.fresh(`${node.id}_bias`);
  draft.setConstant(value, bias);
  return value;
}

/** The whole new bias per output, when some removed input is a constant other than 0. */
export function addedSums(site: AxisSite, remaining: Remaining, constants: RemovedConstants): Float64Array | undefined {
  const { node, inputs } = site;
  const [x, w, c] = inputs;
  const known = x && constants.get(x.value);
  if (!x || !known || !w?.constant || w.constant.dtype !== 'float32') return undefined;
  if (
    changedAxis(remaining, x) !== known.axis ||
    !known.values.some((value) => Number.isFinite(value) && value !== 0)
  ) {
    return undefined;
  }
  const layout = layoutOf(site, remaining.net, known.axis);
  if (!layout) return undefined;
  const { data } = w.constant;
  const sums = new Float64Array(layout.outputs);
  const old = c?.constant;
  if (c && (old?.dtype !== 'float32' || ![1, layout.outputs].includes(sizeOf(c.shape)))) return undefined;
  if (old?.dtype === 'float32')
    for (let o = 0; o < sums.length; o++) sums[o] = old.data[old.data.length === 1 ? 0 : o]!;
  known.values.forEach((value, i) => {
    if (!Number.isFinite(value) || value === 0 || !remaining.gone(x.axes[known.axis]!, i)) return;
    for (let o = 0; o < sums.length; o++) {
      const start = o * layout.perOutput + i * layout.perInput;
      for (let k = 0; k < layout.kernel; k++) sums[o]! += value * data[start + k]!;
    }
  });
  return node.op === 'MatMul' || sums.every(Number.isFinite) ? sums : undefined;
}

interface Layout {
  readonly outputs: number;
  readonly perOutput: number;
  readonly perInput: number;
  readonly kernel: number;
}

function layoutOf(site: AxisSite, { relations }: Remaining['net'], axis: number): Layout | undefined {
  const { node, inputs } = site;
  if (!hasBias(node.op)) return undefined;
  const layer = relations.layer(node);
  const weight = isRefusal(layer) ? undefined : layer.weights.find(({ slot }) => slot === 1);
  const [output, sum] = [weight?.outputs[0], weight?.sums[0]];
  const data = weight?.data && axisAt(weight.data.axis, inputs[0]!.shape.length); // its data is there, as the caller saw
  if (isRefusal(layer) || !weight || output === undefined || sum === undefined || data !== axis) return undefined;
  const { factors } = layer;
  if (weight.groups !== 1 || weight.stacked.length > 0 || factors.product !== 1 || factors.bias !== 1) return undefined;
  const { shape } = inputs[1]!; // likewise
  const kernel = sizeOf(weight.inner.map((each) => shape[each]!));
  if (kernel > 1 && isPadded(node)) return undefined;
  const strides = stridesOf(shape);
  return { outputs: shape[output]!, perOutput: strides[output]!, perInput: strides[sum]!, kernel };
}

const isPadded = (node: Node): boolean =>
  intsOf(node, 'pads', []).some((each) => each !== 0) || node.attributes.has('auto_pad');
