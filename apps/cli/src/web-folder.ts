import type { CompressReport } from '@espalier/analysis';
import { type Files, folderOf } from '@espalier/core';
import { type CompressRequest, compress, defineRecipe, type Recipe } from '@espalier/recipe';
import { presets } from 'espalier';

/** The forms that transformers.js loads by `dtype`, and the ending it looks for. */
const forms: readonly { readonly dtype: string; readonly ending: string; readonly recipe: Recipe }[] = [
  { dtype: 'fp32', ending: '', recipe: defineRecipe({ espalier: 1, steps: [{ pass: 'simplify' }] }) },
  { dtype: 'fp16', ending: '_fp16', recipe: presets.fp16.recipe },
  { dtype: 'q8', ending: '_quantized', recipe: presets['int8-dynamic'].recipe },
  { dtype: 'q4', ending: '_q4', recipe: presets['int4-weights'].recipe },
];

/** Model names that transformers.js asks for; any other model becomes `model`. */
const knownNames =
  /^(model|encoder_model|decoder_model|decoder_model_merged|decoder_with_past_model|vision_model|text_model|vision_encoder|embed_tokens)$/;

/** Files beside a model that belong to it. */
const companions = [
  'config.json',
  'generation_config.json',
  'preprocessor_config.json',
  'processor_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'vocab.txt',
  'merges.txt',
] as const;

/** One form of a model in the folder. */
export interface WebForm {
  readonly dtype: string;
  readonly report: CompressReport;
}

/** The content of the folder. */
export interface WebFolder {
  readonly folder: string;
  readonly forms: readonly WebForm[];
  /** Configuration and tokenizer files that were copied. */
  readonly copied: readonly string[];
}

/**
 * Writes the folder that transformers.js and onnxruntime-web load from: `onnx/model.onnx` with its float16, 8-bit and
 * 4-bit forms, each verified, and the configuration files that stand beside the model.
 */
export async function writeWebFolder(
  request: Omit<CompressRequest, 'recipe' | 'output'> & { readonly folder: string },
): Promise<WebFolder> {
  const { folder, files, input, progress } = request;
  const base = input.slice(input.lastIndexOf('/') + 1).replace(/\.onnx$/, '');
  const name = knownNames.test(base) ? base : 'model';
  const done: WebForm[] = [];
  for (const { dtype, ending, recipe } of forms) {
    const output = `${folder}/onnx/${name}${ending}.onnx`;
    const report = await compress({
      ...request,
      recipe,
      output,
      ...(progress ? { progress: (stage, share, message) => progress(`${dtype}: ${stage}`, share, message) } : {}),
    });
    done.push({ dtype, report });
  }
  return { folder, forms: done, copied: await copyCompanions(files, input, folder) };
}

async function copyCompanions(files: Files, input: string, folder: string): Promise<readonly string[]> {
  const own = folderOf(input);
  const places = /(^|\/)onnx$/.test(own) ? [own, folderOf(own)] : [own];
  const copied: string[] = [];
  for (const name of companions) {
    for (const place of places) {
      const from = place ? `${place}/${name}` : name;
      if ((await files.size(from)) === undefined) continue;
      await files.write(`${folder}/${name}`, [await files.read(from)]);
      copied.push(name);
      break;
    }
  }
  return copied;
}
