import { cpSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeFiles } from '@espalier/core/node';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { compressFolder, type FolderReport } from '@espalier/recipe';
import { folderPresets, registry } from 'espalier';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, type OpenPage, openPage } from './chromium-page.js';
import { modelsFolder } from './fixtures.js';
import { type Answer, type Question, runTransformers } from './transformers-runs.js';

const models = modelsFolder();
const { recipe } = folderPresets.web;

/** Least cosine of the logits with those of fp32. */
const least: Readonly<Record<string, number>> = {
  ...{ fp32: 1, fp16: 0.9999, q8: 0.99, int8: 0.99, uint8: 0.99 },
  ...{ q4: 0.98, q4f16: 0.98, bnb4: 0.98 },
};

const texts: readonly Question[] = [
  { task: 'text-classification', folder: 'encoder' },
  { task: 'text-generation', folder: 'decoder' },
];
const questions: readonly Question[] = [...texts, { task: 'image-classification', folder: 'vision' }];
const long = 180_000; // a browser on a busy machine of two cores

// Needs the folder of real models.
describe.skipIf(!models)('the preset web, as transformers.js loads it', () => {
  const executor = createOnnxRuntime({ backend: 'node', threads: 1 });
  let root = '';
  const reports: Record<string, FolderReport> = {};
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'espalier-web-'));
    await writeSources(join(root, 'sources'), join(models!, 'exports'));
    for (const { folder } of questions) {
      reports[folder] = await compressFolder({
        // Weights beside the model must be found through what config.json says of them.
        recipe: folder === 'decoder' ? { ...recipe, externalData: 'always' } : recipe,
        registry,
        executor,
        files: nodeFiles(root),
        input: `sources/${folder}`,
        output: `models/${folder}`,
      });
    }
  }, long);
  afterAll(async () => {
    await executor.close();
    await rm(root, { recursive: true, force: true });
  });

  it('writes each dtype of each model, and every one but fp32 is smaller', () => {
    for (const { forms, leftOut } of Object.values(reports)) {
      expect(leftOut).toEqual([]);
      expect(forms.map(({ dtype }) => dtype)).toEqual(recipe.dtypes);
      const [full, ...others] = forms.map(({ report }) => report.output.bytes);
      for (const bytes of others) expect(bytes).toBeLessThan(full! * 0.65);
    }
  });

  it.each(questions)(
    'runs $task in Node',
    async (question) => {
      checkAnswers(await askAll((dtype) => runTransformers({ ...question, dtype }, join(root, 'models'))));
    },
    long,
  );

  describe.skipIf(!hasChromium())('in headless Chromium', () => {
    let page: OpenPage | undefined;
    beforeAll(async () => {
      const require = createRequire(import.meta.resolve('@huggingface/transformers'));
      const folders = questions.flatMap(({ folder }) => [
        [`/models/${folder}/onnx/`, join(root, 'models', folder, 'onnx')],
        [`/models/${folder}/`, join(root, 'models', folder)],
      ]);
      page = await openPage({
        program: `
          import { env } from '@huggingface/transformers';
          import { runTransformers } from './transformers-runs.ts';
          env.allowLocalModels = true;
          env.useBrowserCache = false;
          env.backends.onnx.wasm.wasmPaths = '/ort/';
          env.backends.onnx.wasm.numThreads = 1;
          globalThis.run = (question) => runTransformers(question, '/models/');
        `,
        folder: fileURLToPath(new URL('.', import.meta.url)),
        serve: { '/ort/': dirname(require.resolve('onnxruntime-web')), ...Object.fromEntries(folders) },
      });
    }, long);
    afterAll(() => page?.close());

    it.each(texts)(
      'runs $task',
      async (question) => {
        checkAnswers(await askAll((dtype) => page!.run<Answer>({ ...question, dtype }))); // opened before the tests
      },
      long,
    );
  });
});

async function askAll(ask: (dtype: string) => Promise<Answer>): Promise<ReadonlyMap<string, Answer>> {
  const answers = new Map<string, Answer>();
  for (const dtype of recipe.dtypes) answers.set(dtype, await ask(dtype));
  return answers;
}

function checkAnswers(answers: ReadonlyMap<string, Answer>): void {
  const full = answers.get('fp32')!;
  for (const [dtype, { said, logits }] of answers) {
    expect(cosine(logits, full.logits), dtype).toBeGreaterThan(least[dtype]! - 1e-9);
    expect(said, dtype).toEqual(full.said);
  }
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, each, i) => sum + each * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

/** Folders as people export them: an encoder with its tokenizer, a merged decoder, and an image classifier. */
async function writeSources(root: string, exports: string): Promise<void> {
  const encoder = join(exports, 'browser-folder/tiny-bert-sentiment');
  cpSync(encoder, join(root, 'encoder'), { recursive: true });
  const decoder = join(root, 'decoder');
  await mkdir(decoder, { recursive: true });
  for (const name of await readdir(join(exports, 'decoder'))) {
    await copyFile(join(exports, 'decoder', name), join(decoder, name));
  }
  for (const name of ['tokenizer.json', 'tokenizer_config.json'])
    await copyFile(join(encoder, name), join(decoder, name));
  const sizes = { n_head: 4, n_layer: 2, n_embd: 64, vocab_size: 512, n_positions: 128 };
  await writeFile(join(decoder, 'config.json'), JSON.stringify({ model_type: 'gpt2', ...sizes, eos_token_id: 511 }));
  const vision = join(root, 'vision');
  await mkdir(join(vision, 'onnx'), { recursive: true });
  await copyFile(join(exports, 'legacy/deit.onnx'), join(vision, 'onnx/model.onnx'));
  const config = { model_type: 'deit', id2label: { 0: 'a', 1: 'b' }, image_size: 64 };
  await writeFile(join(vision, 'config.json'), JSON.stringify(config));
  const processor = { image_processor_type: 'ViTImageProcessor', size: { height: 64, width: 64 } };
  const normal = { do_resize: true, do_rescale: true, do_normalize: true, image_mean: [0.5, 0.5, 0.5] };
  await writeFile(
    join(vision, 'preprocessor_config.json'),
    JSON.stringify({ ...processor, ...normal, image_std: [0.5, 0.5, 0.5] }),
  );
}
