import { floatOf, int, type Node, type ValueId } from '@espalier/core';
import type { BlockedRule } from './blocked-rule.js';
import { type BlockedWriter, blockedDomain, firstChannels, type Image } from './blocked-writer.js';
import { filledUp } from './filled-up.js';

/**
 * `espalier::BatchNormTraining(x, scale, bias) -> (y, mean, variance)`: means by pooling each image, and y by a depthwise
 * 1x1 convolution, which can take in a sum and a Relu that follow. The variance is the mean square of x - mean.
 */
const training: BlockedRule = (node, w) => {
  const [x, scale, bias] = node.inputs as readonly [ValueId, ValueId, ValueId]; // it has three
  const image = w.image(x);
  if (!image || !suits(node, w, image)) return false;
  const from = w.blocked(x);
  const mean = averageOf(w, from, image);
  const centred = affine(w, { value: from, bias: w.emit('Neg', [mean]), image });
  const variance = averageOf(w, w.emit('Mul', [centred, centred]), image);
  const factor = w.emit('Mul', [filledUp(w, scale, image), inverseDeviation(node, w, variance)]);
  w.give(node.outputs[0], affine(w, { value: centred, factor, bias: filledUp(w, bias, image), image }));
  finishPerChannel(w, { output: node.outputs[1], value: mean, image });
  finishPerChannel(w, { output: node.outputs[2], value: variance, image });
  return true;
};

/**
 * `espalier::BatchNormGradient(x, scale, mean, variance, dy) -> (dx, dscale, dbias)`. With s = 1/√(variance + ε), means
 * E over N, H, W (M elements), and d = s (E dy·x - mean E dy):
 *
 *     dbias = M E dy,  dscale = M d,  dx = a·dy + b·x + c,  a = scale s,  b = -a s d,  c = -(b mean + a E dy)
 */
const gradient: BlockedRule = (node, w) => {
  const [x, scale, mean, variance, dy] = node.inputs as readonly ValueId[] as [string, string, string, string, string]; // it has five
  const image = w.image(x);
  if (!image || !suits(node, w, image)) return false;
  const [input, given] = [w.blocked(x), w.blocked(dy)];
  const [bias, product] = [averageOf(w, given, image), averageOf(w, w.emit('Mul', [given, input]), image)];
  const centre = filledUp(w, mean, image);
  const s = inverseDeviation(node, w, filledUp(w, variance, image));
  const d = w.emit('Mul', [s, w.emit('Sub', [product, w.emit('Mul', [centre, bias])])]);
  const count = elementsOf(w, input, image);
  finishPerChannel(w, { output: node.outputs[1], value: w.emit('Mul', [d, count]), image });
  finishPerChannel(w, { output: node.outputs[2], value: w.emit('Mul', [bias, count]), image });
  if (node.outputs[0] === undefined) return true;
  const a = w.emit('Mul', [filledUp(w, scale, image), s]);
  const b = w.emit('Neg', [w.emit('Mul', [w.emit('Mul', [a, s]), d])]);
  const c = w.emit('Neg', [w.emit('Add', [w.emit('Mul', [b, centre]), w.emit('Mul', [a, bias])])]);
  const sum = affine(w, { value: given, factor: a, bias: c, image });
  w.give(node.outputs[0], affine(w, { value: input, factor: b, sum, image }));
  return true;
};

/** Whether a batch norm can be blocked: the padding is zero, and its deviation must not be. */
const suits = (node: Node, w: BlockedWriter, image: Image): boolean =>
  w.fills(image) && (image.channels === image.padded || floatOf(node, 'epsilon', 1e-5) > 0);

/** The mean of each channel over all images, [C]. */
function averageOf(w: BlockedWriter, value: ValueId, { padded }: Image): ValueId {
  const each = w.emit(`${blockedDomain}::GlobalAveragePool`, [value]);
  const rows = w.emit('Reshape', [each, w.longs([-1, padded])]);
  return w.emit('ReduceMean', [rows, w.longs([0])], { keepdims: int(0) });
}

/** factor·value + bias + sum, with one factor and one bias per channel. */
function affine(
  w: BlockedWriter,
  of: {
    readonly value: ValueId;
    readonly factor?: ValueId;
    readonly bias?: ValueId;
    readonly sum?: ValueId;
    readonly image: Image;
  },
): ValueId {
  const { value, factor, bias, sum, image } = of;
  const filter = factor ? w.emit('Reshape', [factor, w.longs([-1, 1, 1, 1])]) : w.full(1, [image.padded, 1, 1, 1]);
  const inputs = sum === undefined ? [value, filter, bias] : [value, filter, bias, sum];
  return w.emit(`${blockedDomain}::Conv`, inputs, {
    kernel_shape: { kind: 'ints', value: [1, 1] },
    group: int(image.padded),
  });
}

const inverseDeviation = (node: Node, w: BlockedWriter, variance: ValueId): ValueId =>
  w.emit('Reciprocal', [w.emit('Sqrt', [w.emit('Add', [variance, w.full(floatOf(node, 'epsilon', 1e-5), [])])])]);

/** Elements per channel, as a float scalar. */
function elementsOf(w: BlockedWriter, value: ValueId, { batch, height, width }: Image): ValueId {
  if (typeof batch === 'number') return w.full(batch * height * width, []);
  const images = w.emit('Gather', [w.emit('Shape', [value]), w.longs([0])]);
  return w.emit('Mul', [w.emit('Cast', [images], { to: int(1) }), w.full(height * width, [])]);
}

/** Writes one number per channel, without the padding. */
function finishPerChannel(
  w: BlockedWriter,
  { output, value, image }: { readonly output: ValueId | undefined; readonly value: ValueId; readonly image: Image },
): void {
  if (image.channels === image.padded) w.emitAs(output, 'Identity', [value]);
  else w.emitAs(output, 'Slice', [value, ...firstChannels(w, image, 0)]);
}

/** Batch norms in training. */
export const blockedBatchNorm = {
  'espalier::BatchNormTraining': training,
  'espalier::BatchNormGradient': gradient,
} as const;
