import {
  AutoModelForCausalLM,
  AutoModelForImageClassification,
  AutoModelForSequenceClassification,
  AutoProcessor,
  AutoTokenizer,
  env,
  RawImage,
  type Tensor,
} from '@huggingface/transformers';

/** A pipeline to run on a folder of models. */
export interface Question {
  readonly task: 'text-classification' | 'text-generation' | 'image-classification';
  readonly folder: string;
}

/** What transformers.js said: labels or tokens, and the numbers behind them. */
export interface Answer {
  readonly said: readonly string[];
  readonly logits: readonly number[];
}

const texts = ['the film was great', 'a dull and awful plot'];

/** Runs one dtype of a folder below `place` with transformers.js, in Node or in a page; nothing is downloaded. */
export async function runTransformers(
  { task, folder, dtype }: Question & { readonly dtype: string },
  place: string,
): Promise<Answer> {
  env.allowRemoteModels = false;
  env.localModelPath = place;
  const options = { dtype: dtype as 'fp32' }; // a dtype of the preset, all of which transformers.js knows
  return tasks[task](folder, options);
}

type Options = { readonly dtype: 'fp32' };

const tasks: Readonly<Record<Question['task'], (folder: string, options: Options) => Promise<Answer>>> = {
  async 'text-classification'(folder, options) {
    const tokenizer = await AutoTokenizer.from_pretrained(folder);
    const model = await AutoModelForSequenceClassification.from_pretrained(folder, options);
    const { logits } = await model(await tokenizer(texts, { padding: true }));
    const classes = tolist(logits).map((row) => row.indexOf(Math.max(...row)));
    return { said: classes.map(String), logits: tolist(logits).flat() };
  },
  async 'text-generation'(folder, options) {
    const tokenizer = await AutoTokenizer.from_pretrained(folder);
    const model = await AutoModelForCausalLM.from_pretrained(folder, options);
    const inputs = await tokenizer(texts[0]!);
    const { logits } = await model(inputs);
    const tokens = (await model.generate({ ...inputs, max_new_tokens: 4, do_sample: false })) as Tensor; // no dict was asked for
    return { said: tokens.tolist().flat().map(String), logits: logits.tolist().flat(2).map(Number) };
  },
  async 'image-classification'(folder, options) {
    const processor = await AutoProcessor.from_pretrained(folder);
    const model = await AutoModelForImageClassification.from_pretrained(folder, options);
    const pixels = Uint8ClampedArray.from({ length: 64 * 64 * 3 }, (_, i) => (i * i * 31 + i * 7) % 256);
    const { logits } = await model(await processor(new RawImage(pixels, 64, 64, 3)));
    const row = tolist(logits).flat();
    return { said: [String(row.indexOf(Math.max(...row)))], logits: row };
  },
};

const tolist = (logits: Tensor): readonly (readonly number[])[] => logits.tolist();
