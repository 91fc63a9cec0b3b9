import { definePlugin, int, type ValueId } from '@espalier/core';
import { createModel, type Model } from '../create-model.js';
import { tooLong } from '../errors.js';
import { initial } from '../initial.js';
import { attention } from '../layers/attention.js';
import { gelu } from '../layers/gelu.js';
import { layerNorm } from '../layers/layer-norm.js';
import { linear } from '../layers/linear.js';
import { checkHeads, hiddenFeatures, transformerOptions } from '../transformer-options.js';

const epsilon = 1e-12;
const weight = initial.normal(0.02);
const given = { weight, bias: initial.filled(0) };
const shut = -10_000; // of a score: its share becomes 0 in float32, and it fits into float16

/**
 * BERT for sentence classification (Devlin et al. 2018, arXiv 1810.04805) of the tiny size (Turc et al. 2019, arXiv
 * 1908.08962: 2 layers, 128 features): 4,385,920 parameters, and width · classes + classes of the classifier. Names
 * are those of Hugging Face's `BertForSequenceClassification`. Weights begin as N(0, 0.02²).
 */
export const bertTiny = definePlugin({
  kind: 'model',
  id: 'bert-tiny',
  about: 'BERT encoder of the tiny size with a classifier, normalised after each layer.',
  options: {
    ...transformerOptions({ depth: 2, width: 128, heads: 2 }),
    classes: { type: 'integer', default: 2, min: 1, max: 1_000_000, about: 'how many classes it tells apart' },
    vocabulary: { type: 'integer', default: 30_522, min: 1, max: 10_000_000, about: 'how many tokens there are' },
    sequence: { type: 'integer', default: 128, min: 1, max: 65_536, about: 'tokens of an input, at most `positions`' },
    positions: { type: 'integer', default: 512, min: 1, max: 65_536, about: 'places that have an embedding' },
  },
  create(options) {
    const { classes, depth, heads, seed, sequence, width } = options;
    checkHeads('model bert-tiny', options);
    const model = createModel({ name: 'bert-tiny', seed });
    const embedded = embed(model, options);
    const mask = scoreMask(model, sequence);
    const layer = { tokens: sequence, width, heads, hidden: hiddenFeatures(options), mask };
    let x = model.add('Reshape', [embedded, model.longs([-1, width])], { name: 'bert.embeddings.rows' });
    x = layerNorm(model, x, { name: 'bert.embeddings.LayerNorm', width, epsilon });
    for (let at = 0; at < depth; at++) x = encoderLayer(model, x, { name: `bert.encoder.layer.${at}`, ...layer });
    const apart = model.add('Reshape', [x, model.longs([-1, sequence, width])], { name: 'bert.encoder.tokens' });
    const first = model.add('Gather', [apart, model.index(0)], {
      name: 'bert.pooler.token',
      attributes: { axis: int(1) },
    });
    const dense = linear(model, first, { name: 'bert.pooler.dense', from: width, to: width, ...given });
    const pooled = model.add('Tanh', [dense], { name: 'bert.pooler' });
    const logits = linear(model, pooled, { name: 'classifier', from: width, to: classes, output: 'logits', ...given });
    return model.finish(logits, ['batch', classes]);
  },
});

interface Embedding {
  readonly vocabulary: number;
  readonly sequence: number;
  readonly positions: number;
  readonly width: number;
}

/** Word, place and segment embeddings added: [batch, sequence, width]. */
function embed(model: Model, { vocabulary, sequence, positions, width }: Embedding): ValueId {
  const name = 'bert.embeddings';
  if (sequence > positions) throw tooLong('model bert-tiny.sequence', { sequence, positions });
  const words = model.weight(`${name}.word_embeddings.weight`, [vocabulary, width], weight);
  const places = model.weight(`${name}.position_embeddings.weight`, [positions, width], weight);
  const segments = model.weight(`${name}.token_type_embeddings.weight`, [2, width], weight);
  const ids = model.input('input_ids', 'int64', ['batch', sequence]);
  const types = model.input('token_type_ids', 'int64', ['batch', sequence]);
  const word = model.add('Gather', [words, ids], { name: `${name}.words` });
  const segment = model.add('Gather', [segments, types], { name: `${name}.segments` });
  const ends = [[0], [sequence], [0]].map(model.longs);
  const place = sequence === positions ? places : model.add('Slice', [places, ...ends], { name: `${name}.places` });
  const both = model.add('Add', [word, segment], { name: `${name}.words_and_segments` });
  return model.add('Add', [both, place], { name });
}

/** 0 where `attention_mask` is 1, and a score that shuts out where it is 0: [batch, 1, 1, sequence]. */
function scoreMask(model: Model, sequence: number): ValueId {
  const mask = model.input('attention_mask', 'int64', ['batch', sequence]);
  const wide = model.add('Unsqueeze', [mask, model.longs([1, 2])], { name: 'mask.wide' });
  const real = model.add('Cast', [wide], { name: 'mask.real', attributes: { to: int(1) } });
  const closed = model.add('Sub', [model.number(1), real], { name: 'mask.closed' });
  return model.add('Mul', [closed, model.number(shut)], { name: 'mask' });
}

interface Layer {
  readonly name: string;
  readonly tokens: number;
  readonly width: number;
  readonly heads: number;
  readonly hidden: number;
  readonly mask: ValueId;
}

/** norm(x + attention(x)), then norm(x + mlp(x)), on rows [batch · tokens, width]. */
function encoderLayer(model: Model, x: ValueId, { name, hidden, ...sizes }: Layer): ValueId {
  const { width } = sizes;
  const dense = (input: ValueId, place: string, [from, to]: readonly [number, number]) =>
    linear(model, input, { name: `${name}.${place}`, from, to, ...given });
  const [queries, keys, values] = ['query', 'key', 'value'].map((each) =>
    dense(x, `attention.self.${each}`, [width, width]),
  ) as [ValueId, ValueId, ValueId]; // one for each of the three
  const mixed = attention(model, { name: `${name}.attention.self`, queries, keys, values, ...sizes });
  const attended = dense(mixed, 'attention.output.dense', [width, width]);
  const first = model.add('Add', [attended, x], { name: `${name}.attention.add` });
  const middle = layerNorm(model, first, { name: `${name}.attention.output.LayerNorm`, width, epsilon });
  const wide = gelu(model, dense(middle, 'intermediate.dense', [width, hidden]), `${name}.intermediate`);
  const second = model.add('Add', [dense(wide, 'output.dense', [hidden, width]), middle], { name: `${name}.add` });
  return layerNorm(model, second, { name: `${name}.output.LayerNorm`, width, epsilon });
}
