import { floatOf, int, type Node, type ValueId } from '@espalier/core';
import { type BlockedWriter, blockedDomain, type Image } from './blocked-writer.js';
import type { BlockedRule } from './rules.js';

/**
 * `espalier::BatchNormTraining(x, scale, bias) -> (y, mean, variance)`: means by pooling each image, and y by a depthwise
 * 1x1 convolution, which can take in a sum and a Relu that follow. The variance is the mean square of x - mean.
 */
const training: BlockedRule = (node, w) => {
  const [x, scale, bias] = node.inputs as readonly [ValueId, ValueId, ValueId]; // it has three
  const image = w.image(x);
  if (!image || image.channels % w.block !== 0) return false;
  const from = w.blocked(x);
  const mean = averageOf(w, from, image);
  const centred = affine(w, { value: from, bias: w.emit('Neg', [mean]), channels: image.channels });
  const variance = averageOf(w, w.emit('Mul', [centred, centred]), image);
  const factor = w.emit('Mul', [scale, inverseDeviation(node, w, variance)]);
  w.give(node.outputs[0], affine(w, { value: centred, factor, bias, channels: image.channels }));
  w.finish(node.outputs[1], 'Identity', [mean]);
  w.finish(node.outputs[2], 'Identity', [variance]);
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
  if (!image || image.channels % w.block !== 0) return false;
  const [input, given] = [w.blocked(x), w.blocked(dy)];
  const [bias, product] = [averageOf(w, given, image), averageOf(w, w.emit('Mul', [given, input]), image)];
  const s = inverseDeviation(node, w, variance);
  const d = w.emit('Mul', [s, w.emit('Sub', [product, w.emit('Mul', [mean, bias])])]);
  const count = elementsOf(w, input, image);
  w.finish(node.outputs[1], 'Mul', [d, count]);
  w.finish(node.outputs[2], 'Mul', [bias, count]);
  if (node.outputs[0] === undefined) return true;
  const a = w.emit('Mul', [scale, s]);
  const b = w.emit('Neg', [w.emit('Mul', [w.emit('Mul', [a, s]), d])]);
  const c = w.emit('Neg', [w.emit('Add', [w.emit('Mul', [b, mean]), w.emit('Mul', [a, bias])])]);
  const { channels } = image;
  const sum = affine(w, { value: given, factor: a, bias: c, channels });
  w.give(node.outputs[0], affine(w, { value: input, factor: b, sum, channels }));
  return true;
};

/** The mean of each channel over all images, [C]. */
function averageOf(w: BlockedWriter, value: ValueId, { channels }: Image): ValueId {
  const each = w.emit(`${blockedDomain}::GlobalAveragePool`, [value]);
  const rows = w.emit('Reshape', [each, w.longs([-1, channels])]);
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
    readonly channels: number;
  },
): ValueId {
  const { value, factor, bias, sum, channels } = of;
  const filter = factor ? w.emit('Reshape', [factor, w.longs([-1, 1, 1, 1])]) : w.full(1, [channels, 1, 1, 1]);
  const inputs = sum === undefined ? [value, filter, bias] : [value, filter, bias, sum];
  return w.emit(`${blockedDomain}::Conv`, inputs, {
    kernel_shape: { kind: 'ints', value: [1, 1] },
    group: int(channels),
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

/** Batch norms in training. */
export const blockedBatchNorm = {
  'espalier::BatchNormTraining': training,
  'espalier::BatchNormGradient': gradient,
} as const;
