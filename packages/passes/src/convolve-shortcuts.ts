import {
  createNode,
  definePlugin,
  editGraph,
  floatOf,
  floats,
  fromNumbers,
  type Graph,
  indexOf,
  int,
  ints,
  isFloat,
  type Node,
  opsetOf,
  sizeOf,
  type Tensor,
  tensorInfo,
  toFloats,
  toNumbers,
  type ValueId,
} from '@espalier/core';
import { evaluateNode } from '@espalier/ops';
import { onlyReader, passesThrough } from './affine/reach.js';
import { removeDeadNodes } from './remove-dead-nodes.js';

/**
 * Writes shortcuts without weights (He et al. 2015, arXiv 1512.03385, section 4.2, option A: every second pixel, and
 * zeros for the further channels) as 1x1 convolutions with a weight of ones and zeros:
 *
 *     Pad(x[:, :, ::s, ::s])  =  Conv(x, W), stride s, with W[o, i] = 1 where output channel o is input channel i
 *
 * Runtimes keep the channels of convolutions in blocks, and add a sum to the convolution before it. A Slice or a Pad
 * of channels between two blocks breaks both: values are brought back to rows, and every sum that follows stands alone.
 *
 * Any chain of Slice, Pad and Gather that picks channels and every s-th pixel is rewritten where it is added to a
 * convolution of at least eight times its multiply-adds, with inferred shapes. Finite numbers stay what they are; an
 * infinity or NaN in one channel of x, which a convolution multiplies by zero, makes NaN in the others of its pixel.
 * The weight can be trained: run this after training, and after cutting, which knows zero padding as it is.
 */
export function convolveShortcuts(graph: Graph): Graph {
  const draft = editGraph(graph);
  const outputs = new Set(graph.outputs);
  for (const node of graph.nodes) {
    const found = node.op === 'Add' ? shortcutOf(graph, node, outputs) : undefined;
    if (!found) continue;
    const { chain, source, weight, strides } = found;
    const last = chain.at(-1)!; // a chain is not empty
    const name = draft.constant(`${last.id}_weight`, weight);
    for (const each of chain.slice(0, -1)) draft.replace(each.id);
    const attributes = { kernel_shape: ints(strides.map(() => 1)), strides: ints(strides), group: int(1) };
    const { id, outputs: made } = last;
    draft.replace(id, createNode({ id, op: 'Conv', inputs: [source, name], outputs: made, attributes }));
  }
  const changed = draft.finish();
  return changed === graph ? graph : removeDeadNodes(changed); // the constants of the chains are removed with them
}

/** The least ratio of the multiply-adds of the convolution before the sum to those of the shortcut. */
const leastGain = 8;

const movers: ReadonlySet<string> = new Set(['Slice', 'Pad', 'Gather']);

interface Chain {
  /** The nodes from the source on. */
  readonly chain: readonly Node[];
  readonly source: ValueId;
}

interface Shortcut extends Chain {
  /** [outputs, inputs, 1, 1, ...] of ones and zeros. */
  readonly weight: Tensor;
  readonly strides: readonly number[];
}

/** The first operand of a sum that only picks channels and pixels of something, where the other is a convolution. */
function shortcutOf(graph: Graph, add: Node, outputs: ReadonlySet<ValueId>): Shortcut | undefined {
  for (const slot of [0, 1]) {
    const [own, other] = [add.inputs[slot], add.inputs[1 - slot]];
    if (own === undefined || other === undefined) continue;
    const chain = chainOf(graph, own, outputs);
    const convolution = chain && convolutionOf(graph, other, outputs);
    const picked = convolution && asConvolution(graph, chain, own);
    if (picked && sizeOf(convolution.shape) >= leastGain * sizeOf(picked.weight.shape)) return { ...chain, ...picked };
  }
  return undefined;
}

/** The nodes that move what a value is made of, each read by the next alone. */
function chainOf(graph: Graph, value: ValueId, outputs: ReadonlySet<ValueId>): Chain | undefined {
  const chain: Node[] = [];
  let source = value;
  for (let node = indexOf(graph).producer.get(value); node && movers.has(node.op); ) {
    const [data, ...rest] = node.inputs;
    const known = rest.every((each) => each === undefined || graph.constants.has(each));
    if (data === undefined || !known || !onlyReader(graph, source, outputs)) break;
    chain.unshift(node);
    source = data;
    node = indexOf(graph).producer.get(source);
  }
  return chain.length > 0 && !graph.constants.has(source) ? { chain, source } : undefined;
}

/** The weight of the convolution that makes a value, seen through a batch norm. */
function convolutionOf(graph: Graph, value: ValueId, outputs: ReadonlySet<ValueId>): Tensor | undefined {
  let node = indexOf(graph).producer.get(value);
  while (node && onlyReader(graph, node.outputs[0] ?? '', outputs)) {
    if (node.op === 'Conv') return graph.constants.get(node.inputs[1] ?? '');
    if (node.op !== 'BatchNormalization' && !passesThrough(graph, node)) return undefined;
    node = indexOf(graph).producer.get(node.inputs[0] ?? '');
  }
  return undefined;
}

/** The chain as a weight and strides, if it picks channels and every s-th pixel. */
function asConvolution(graph: Graph, { chain, source }: Chain, made: ValueId) {
  const [from, to] = [tensorInfo(graph, source), tensorInfo(graph, made)];
  if (!from?.shape || !to?.shape || !isFloat(from.dtype) || from.shape[0] !== to.shape[0]) return undefined;
  const own = from.shape.slice(1).filter((dim) => typeof dim === 'number');
  if (own.length < 2 || own.length !== from.shape.length - 1 || own.includes(0)) return undefined;
  const places = placesAfter(graph, chain, own);
  const [one, ...shape] = places?.shape ?? [];
  if (!places || one !== 1 || shape.length !== own.length || shape.includes(0)) return undefined;
  const strides = own.slice(1).map((dim, i) => Math.ceil(dim / shape[i + 1]!));
  const picks = channelsOf(toFloats(places), { own, shape, strides });
  const inputs = own[0]!;
  if (!picks) return undefined;
  const ones = new Float32Array(picks.length * inputs);
  picks.forEach((input, output) => {
    if (input >= 0) ones[output * inputs + input] = 1;
  });
  const weight = fromNumbers(from.dtype, [picks.length, inputs, ...strides.map(() => 1)], ones);
  return { weight, strides };
}

/** Where each element after the chain comes from: 1 + its place in one sample [C, H, ...], or 0 for a padded zero. */
function placesAfter(graph: Graph, chain: readonly Node[], own: readonly number[]): Tensor | undefined {
  const count = sizeOf(own);
  if (count >= mostPlaces) return undefined;
  const each = Float32Array.from({ length: count }, (_, i) => i + 1);
  let places: Tensor | undefined = floats(each, [1, ...own]);
  for (const node of chain) {
    if (!places || !padsZeros(graph, node)) return undefined;
    const constants = node.inputs.slice(1).map((value) => graph.constants.get(value ?? ''));
    if (node.op === 'Pad') constants[1] = undefined; // the zero, in the dtype of the data
    const plain = node.op === 'Pad' ? { ...node, inputs: node.inputs.toSpliced(2, 1, undefined) } : node;
    const maxBytes = 4 * mostPlaces;
    places = evaluateNode(plain, { inputs: [places, ...constants], opset: opsetOf(graph), maxBytes })?.[0];
  }
  return places;
}

const mostPlaces = 2 ** 24; // float32 holds whole numbers up to here

/** Whether a node, if it is a Pad, fills with zeros. */
function padsZeros(graph: Graph, node: Node): boolean {
  if (node.op !== 'Pad') return true;
  const value = graph.constants.get(node.inputs[2] ?? '');
  return floatOf(node, 'value', 0) === 0 && (value === undefined || toNumbers(value).every((each) => each === 0));
}

interface Picked {
  readonly own: readonly number[];
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** Which input channel each output channel is, -1 for zeros; undefined unless every pixel agrees. */
function channelsOf(places: Float32Array, { own, shape, strides }: Picked): readonly number[] | undefined {
  const size = sizeOf(own.slice(1));
  const pixels = pixelsOf(own.slice(1), shape.slice(1), strides);
  const channels: number[] = [];
  for (let at = 0; at < places.length; at += pixels.length) {
    const first = places[at]! - 1;
    const channel = Math.floor(first / size); // -1 where a zero is
    const agrees = (pixel: number, i: number) => places[at + i]! - 1 === (channel < 0 ? -1 : channel * size + pixel);
    if (!pixels.every(agrees)) return undefined;
    channels.push(channel);
  }
  return channels;
}

/** The places, within a channel, of every s-th pixel of each axis. */
function pixelsOf(own: readonly number[], shape: readonly number[], strides: readonly number[]): readonly number[] {
  let pixels: readonly number[] = [0];
  for (const [axis, count] of shape.entries()) {
    const each = Array.from({ length: count }, (_, i) => i * strides[axis]!);
    pixels = pixels.flatMap((before) => each.map((pixel) => before * own[axis]! + pixel));
  }
  return pixels;
}

/** Writes shortcuts as convolutions. */
export const convolveShortcutsPass = /* @__PURE__ */ definePlugin({
  kind: 'pass',
  id: 'convolve-shortcuts',
  about: 'Writes shortcuts that only pick pixels and pad channels as 1x1 convolutions, which runtimes add in place.',
  options: {},
  create: () => convolveShortcuts,
});
