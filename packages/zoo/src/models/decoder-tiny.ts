import { definePlugin, floats, int, type ValueId } from '@espalier/core';
import { createModel, type Model } from '../create-model.js';
import { initial } from '../initial.js';
import { attention } from '../layers/attention.js';
import { gelu } from '../layers/gelu.js';
import { layerNorm } from '../layers/layer-norm.js';
import { linear } from '../layers/linear.js';
import { splitInThree } from '../layers/split-in-three.js';
import { checkHeads, hiddenFeatures, transformerOptions } from '../transformer-options.js';

const epsilon = 1e-5;
const weight = initial.normal(0.02);
const zero = initial.filled(0);
const shut = -10_000; // of a score: its share becomes 0 in float32, and it fits into float16

/**
 * A decoder in the form of GPT-2 (Radford et al. 2019) over single bytes: logits of the next token at every place,
 * with the word embedding as the last layer too. V·D + S·D + L·(12·D² + 13·D) + 2·D parameters for vocabulary V,
 * sequence S, width D and depth L: 842,496 at the defaults, 124,439,808 at the sizes of GPT-2 small. Names are those
 * of GPT-2, weights are [out, in]. They begin as N(0, 0.02²), those that end a branch as N(0, 0.02² / (2·L)).
 */
export const decoderTiny = definePlugin({
  kind: 'model',
  id: 'decoder-tiny',
  about: 'Small decoder like GPT-2: causal attention, tied embeddings, logits of the next token.',
  options: {
    ...transformerOptions({ depth: 4, width: 128, heads: 4 }),
    vocabulary: { type: 'integer', default: 256, min: 1, max: 10_000_000, about: 'how many tokens there are' },
    sequence: { type: 'integer', default: 128, min: 1, max: 8192, about: 'tokens of an input' },
  },
  create(options) {
    const { depth, heads, seed, sequence, vocabulary, width } = options;
    checkHeads('model decoder-tiny', options);
    const model = createModel({ name: 'decoder-tiny', seed });
    const words = model.weight('transformer.wte.weight', [vocabulary, width], weight);
    const places = model.weight('transformer.wpe.weight', [sequence, width], weight);
    const ids = model.input('input_ids', 'int64', ['batch', sequence]);
    const word = model.add('Gather', [words, ids], { name: 'transformer.words' });
    const embedded = model.add('Add', [word, places], { name: 'transformer.embedded' });
    const mask = causalMask(model, sequence);
    const layer = { tokens: sequence, width, heads, hidden: hiddenFeatures(options), depth, mask };
    let x = model.add('Reshape', [embedded, model.longs([-1, width])], { name: 'transformer.rows' });
    for (let at = 0; at < depth; at++) x = decoderLayer(model, x, { name: `transformer.h.${at}`, ...layer });
    x = layerNorm(model, x, { name: 'transformer.ln_f', width, epsilon });
    const rows = model.add('Gemm', [x, words], { name: 'lm_head', attributes: { transB: int(1) } });
    const logits = model.add('Reshape', [rows, model.longs([-1, sequence, vocabulary])], { name: 'logits' });
    return model.finish(logits, ['batch', sequence, vocabulary]);
  },
});

/** Scores of later tokens are shut out: [tokens, tokens], 0 up to the diagonal. */
function causalMask(model: Model, tokens: number): ValueId {
  const values = new Float32Array(tokens * tokens);
  for (let row = 0; row < tokens; row++) values.fill(shut, row * tokens + row + 1, (row + 1) * tokens);
  return model.fixed('causal_mask', floats(values, [tokens, tokens]));
}

interface Layer {
  readonly name: string;
  readonly tokens: number;
  readonly width: number;
  readonly heads: number;
  readonly hidden: number;
  readonly depth: number;
  readonly mask: ValueId;
}

/** x + attention(norm(x)), then x + mlp(norm(x)), on rows [batch · tokens, width]. */
function decoderLayer(model: Model, x: ValueId, { name, hidden, depth, ...sizes }: Layer): ValueId {
  const { width } = sizes;
  const inner = { weight, bias: zero };
  const last = { weight: initial.normal(0.02 / Math.sqrt(2 * depth)), bias: zero };
  const normed = layerNorm(model, x, { name: `${name}.ln_1`, width, epsilon });
  const all = linear(model, normed, { name: `${name}.attn.c_attn`, from: width, to: 3 * width, ...inner });
  const parts = splitInThree(model, all, { name: `${name}.attn.split`, width });
  const mixed = attention(model, { name: `${name}.attn`, ...parts, ...sizes });
  const attended = linear(model, mixed, { name: `${name}.attn.c_proj`, from: width, to: width, ...last });
  const middle = model.add('Add', [x, attended], { name: `${name}.add` });
  const again = layerNorm(model, middle, { name: `${name}.ln_2`, width, epsilon });
  const wide = linear(model, again, { name: `${name}.mlp.c_fc`, from: width, to: hidden, ...inner });
  const active = gelu(model, wide, `${name}.mlp.gelu`);
  const out = linear(model, active, { name: `${name}.mlp.c_proj`, from: hidden, to: width, ...last });
  return model.add('Add', [middle, out], { name });
}
