import { definePlugin, int, ints, type ValueId } from '@espalier/core';
import { createModel, type Model } from '../create-model.js';
import { unevenSize } from '../errors.js';
import { imageInput } from '../feature-map.js';
import { imageOptions } from '../image-options.js';
import { initial } from '../initial.js';
import { attention } from '../layers/attention.js';
import { conv } from '../layers/conv.js';
import { gelu } from '../layers/gelu.js';
import { layerNorm } from '../layers/layer-norm.js';
import { linear } from '../layers/linear.js';
import { splitInThree } from '../layers/split-in-three.js';
import { checkHeads, hiddenFeatures, transformerOptions } from '../transformer-options.js';

const epsilon = 1e-6;
const small = initial.normal(1e-6);
const zero = initial.filled(0);

/**
 * Vision transformer (Dosovitskiy et al. 2020, arXiv 2010.11929, eq. 1 to 4) of the tiny size (Touvron et al. 2020,
 * arXiv 2012.12877, table 1): 5,717,416 parameters with 1000 classes. Names and first values are those of torchvision's
 * `vit_b_16`, but for the head, which begins as N(0, 0.02²) instead of zeros: an untrained model should answer.
 */
export const vitTiny = definePlugin({
  kind: 'model',
  id: 'vit-tiny',
  about: 'Vision transformer of the tiny size: patches as tokens, normalised before each layer.',
  options: {
    ...imageOptions({ classes: 1000, size: 224, least: 1 }),
    ...transformerOptions({ depth: 12, width: 192, heads: 3 }),
    patch: {
      type: 'integer',
      default: 16,
      min: 1,
      max: 4096,
      about: 'height and width of a patch, a divisor of `size`',
    },
  },
  create(options) {
    const { classes, depth, heads, patch, seed, size, width } = options;
    if (size % patch !== 0) throw unevenSize('model vit-tiny.size', { size: `${size}`, by: `patch (${patch})` });
    checkHeads('model vit-tiny', options);
    const model = createModel({ name: 'vit-tiny', seed });
    const tokens = (size / patch) ** 2 + 1;
    const layer = { tokens, width, heads, hidden: hiddenFeatures(options) };
    const embedded = embed(model, { ...options, tokens });
    let x = model.add('Reshape', [embedded, model.longs([-1, width])], { name: 'encoder.rows' });
    for (let at = 0; at < depth; at++)
      x = encoderLayer(model, x, { name: `encoder.layers.encoder_layer_${at}`, ...layer });
    x = layerNorm(model, x, { name: 'encoder.ln', width, epsilon });
    const apart = model.add('Reshape', [x, model.longs([-1, tokens, width])], { name: 'encoder.tokens' });
    const first = model.add('Gather', [apart, model.index(0)], { name: 'heads.token', attributes: { axis: int(1) } });
    const head = { name: 'heads.head', from: width, to: classes, output: 'logits' };
    const logits = linear(model, first, { ...head, weight: initial.normal(0.02), bias: zero });
    return model.finish(logits, ['batch', classes]);
  },
});

interface Embedding {
  readonly channels: number;
  readonly size: number;
  readonly patch: number;
  readonly width: number;
  readonly tokens: number;
}

/** Patches as tokens, behind a class token, plus positions: [batch, tokens, width]. */
function embed(model: Model, { channels, size, patch, width, tokens }: Embedding): ValueId {
  const weight = initial.normal(1 / Math.sqrt(channels * patch ** 2));
  const window = { name: 'conv_proj', to: width, kernel: patch, stride: patch, pad: 0 };
  const patches = conv(model, imageInput(model, { channels, size }), { ...window, weight, bias: zero });
  const rows = model.add('Reshape', [patches.value, model.longs([0, width, -1])], { name: 'patches.rows' });
  const turned = model.add('Transpose', [rows], { name: 'patches', attributes: { perm: ints([0, 2, 1]) } });
  // A token of zeros in front becomes the class token: repeating it for each image would need the batch size.
  const behind = model.add('Pad', [turned, model.longs([0, 1, 0, 0, 0, 0])], { name: 'patches.behind' });
  const start = [[0], [1], [1]].map(model.longs);
  const empty = model.add('Slice', [behind, ...start], { name: 'class_token.place' });
  const token = model.add('Add', [empty, model.weight('class_token', [1, 1, width], zero)], { name: 'class' });
  const both = model.add('Concat', [token, turned], { name: 'tokens', attributes: { axis: int(1) } });
  const positions = model.weight('encoder.pos_embedding', [1, tokens, width], initial.normal(0.02));
  return model.add('Add', [both, positions], { name: 'encoder.input' });
}

interface Layer {
  readonly name: string;
  readonly tokens: number;
  readonly width: number;
  readonly heads: number;
  readonly hidden: number;
}

/** x + attention(norm(x)), then x + mlp(norm(x)), on rows [batch · tokens, width]. */
function encoderLayer(model: Model, x: ValueId, { name, hidden, ...sizes }: Layer): ValueId {
  const { width } = sizes;
  const attended = selfAttention(model, layerNorm(model, x, { name: `${name}.ln_1`, width, epsilon }), {
    name: `${name}.self_attention`,
    ...sizes,
  });
  const middle = model.add('Add', [attended, x], { name: `${name}.add` });
  const normed = layerNorm(model, middle, { name: `${name}.ln_2`, width, epsilon });
  const given = { weight: initial.glorot, bias: small };
  const wide = linear(model, normed, { name: `${name}.mlp.0`, from: width, to: hidden, ...given });
  const active = gelu(model, wide, `${name}.mlp.1`);
  const out = linear(model, active, { name: `${name}.mlp.3`, from: hidden, to: width, ...given });
  return model.add('Add', [middle, out], { name });
}

/** PyTorch's MultiheadAttention: one weight for queries, keys and values together. */
function selfAttention(model: Model, x: ValueId, { name, ...sizes }: Omit<Layer, 'hidden'>): ValueId {
  const { width } = sizes;
  const weight = model.weight(`${name}.in_proj_weight`, [3 * width, width], initial.glorot);
  const bias = model.weight(`${name}.in_proj_bias`, [3 * width], zero);
  const all = model.add('Gemm', [x, weight, bias], { name: `${name}.in_proj`, attributes: { transB: int(1) } });
  const parts = splitInThree(model, all, { name: `${name}.split`, width });
  const mixed = attention(model, { name, ...parts, ...sizes });
  return linear(model, mixed, { name: `${name}.out_proj`, from: width, to: width, weight: initial.fanIn, bias: zero });
}
