import type { CompressReport } from '@espalier/analysis';
import { checkKeys, EspalierError, type Files, type KeysOf } from '@espalier/core';
import { type CompressRequest, compressFile } from '../compress.js';
import type { Recipe } from '../recipe.js';
import { copyCompanions } from './copy-companions.js';
import { type FolderModel, findModels, isAskedFor, type ModelsFound } from './find-models.js';
import type { FolderRecipe } from './folder-recipe.js';
import { writeConfig } from './write-config.js';

/** A compression of a model, or of the models of a folder, to a folder with several forms of each. */
export interface FolderRequest extends Omit<CompressRequest, 'recipe' | 'input' | 'output'> {
  readonly recipe: FolderRecipe;
  /** Path of a model, or of a folder of models. */
  readonly input: string;
  /** Path of the folder to write. */
  readonly output: string;
}

/** One model in one form. */
export interface WrittenForm {
  readonly dtype: string;
  /** The model's name in the folder, without ending. */
  readonly model: string;
  readonly report: CompressReport;
}

/** The forms that were written to a folder, and those that were left out. */
export interface FolderReport {
  readonly folder: string;
  readonly forms: readonly WrittenForm[];
  /** Forms without files, and why. */
  readonly leftOut: readonly { readonly dtype: string; readonly reason: string }[];
  /** Model files that were not read, and why. */
  readonly skipped: ModelsFound['skipped'];
  /** Configuration and tokenizer files that were copied. */
  readonly copied: readonly string[];
  readonly warnings: readonly string[];
}

const keys: KeysOf<FolderRequest> = {
  input: true,
  output: true,
  force: true,
  given: true,
  versions: true,
  recipe: true,
  registry: true,
  executor: true,
  files: true,
  checkpoint: true,
  signal: true,
  progress: true,
  events: true,
};

/**
 * Writes the folder from which transformers.js and onnxruntime-web load: `onnx/NAME.onnx` in each form, each file
 * verified by running it, and the configuration files that stand beside the model. A form is left out, with the
 * reason, where the runtime does not run it or where it saves nothing.
 * @throws FILE_MISSING, FOLDER_EMPTY, and what `compress` throws, unless only the runtime refuses a compressed form.
 */
export async function compressFolder(request: FolderRequest): Promise<FolderReport> {
  checkKeys<FolderRequest>('compressFolder', request, keys);
  const { files, recipe, input } = request;
  const folder = request.output.replace(/\/+$/, '');
  const { models, skipped, places } = await findModels(files, input);
  const forms: WrittenForm[] = [];
  const leftOut: { readonly dtype: string; readonly reason: string }[] = [];
  const beside = new Map<string, number>();
  let full: number | undefined;
  for (const dtype of recipe.dtypes) {
    const made = await makeForm(request, { dtype, models, folder });
    if ('reason' in made) {
      leftOut.push({ dtype, reason: made.reason });
      continue;
    }
    const bytes = made.forms.reduce((sum, { report }) => sum + report.output.bytes, 0);
    const whole = full ?? made.forms.reduce((sum, { report }) => sum + report.input.bytes, 0);
    if (dtype === Object.keys(recipe.forms)[0]) full = bytes;
    else if (bytes >= whole) {
      await remove(files, made.written);
      const found = `${bytes} bytes, and ${whole} without it`;
      leftOut.push({ dtype, reason: `it is not smaller (${found}): ${firstReason(made.forms)}` });
      continue;
    }
    forms.push(...made.forms);
    for (const { name, weights } of made.files) beside.set(name, weights);
  }
  const dtypes = [...new Set(forms.map(({ dtype }) => dtype))];
  const config = await writeConfig({ files, places, folder, beside, dtypes });
  const others = await copyCompanions(files, { places, folder });
  const copied = config.written ? ['config.json', ...others] : others;
  return { folder, forms, leftOut, skipped, copied, warnings: [...config.warnings, ...nameWarnings(models)] };
}

interface MadeForm {
  readonly forms: readonly WrittenForm[];
  readonly written: readonly string[];
  /** Model files, with the number of files of weights beside each. */
  readonly files: readonly { readonly name: string; readonly weights: number }[];
}

interface FormWish {
  readonly dtype: string;
  readonly models: readonly FolderModel[];
  readonly folder: string;
}

/** All models in one form: a runtime that loads one of them asks for the others in the same form. */
async function makeForm(
  request: FolderRequest,
  { dtype, models, folder }: FormWish,
): Promise<MadeForm | { readonly reason: string }> {
  const { ending, recipe } = request.recipe.forms[dtype]!; // checked with the recipe
  const made = { forms: [] as WrittenForm[], written: [] as string[], files: [] as MadeForm['files'][number][] };
  for (const { path, name } of models) {
    const file = `${name}${ending}.onnx`;
    try {
      const { report, written } = await compressFile({
        ...request,
        recipe: exported(recipe, request.recipe.externalData),
        input: path,
        output: `${folder}/onnx/${file}`,
        ...labelled(request, models.length > 1 ? `${dtype} ${name}` : dtype),
      });
      made.forms.push({ dtype, model: name, report });
      made.written.push(...written);
      made.files.push({ name: file, weights: written.length - 1 });
      await removeStale(request.files, { folder: `${folder}/onnx`, file, written });
    } catch (cause) {
      const refused = cause instanceof EspalierError && cause.code.startsWith('EXECUTOR_');
      if (!refused || dtype === Object.keys(request.recipe.forms)[0]) throw cause;
      await remove(request.files, made.written);
      return { reason: `the runtime does not run ${file}: ${cause.message}` };
    }
  }
  return made;
}

/** transformers.js looks for weights of NAME.onnx in NAME.onnx_data, NAME.onnx_data_1 and so on, at most 2 GB each. */
const exported = (recipe: Recipe, externalData: FolderRecipe['externalData']): Recipe => ({
  ...recipe,
  export: {
    use: 'onnx',
    with: { externalData, externalEnding: '_data', externalLimit: 2_000_000_000 },
  },
});

const labelled = ({ progress }: FolderRequest, label: string): Pick<CompressRequest, 'progress'> =>
  progress ? { progress: (stage, share, message) => progress(`${label}: ${stage}`, share, message) } : {};

async function remove(files: Files, paths: readonly string[]): Promise<void> {
  for (const path of paths) await files.remove(path);
}

/** Removes weights of an earlier run that the new model does not name. */
async function removeStale(
  files: Files,
  { folder, file, written }: { readonly folder: string; readonly file: string; readonly written: readonly string[] },
): Promise<void> {
  const names = (await files.list(folder)).filter((name) => name.startsWith(`${file}_data`));
  await remove(
    files,
    names.map((name) => `${folder}/${name}`).filter((path) => !written.includes(path)),
  );
}

/** The most frequent reason why nodes stayed as they were. */
function firstReason(forms: readonly WrittenForm[]): string {
  const counts = new Map<string, number>();
  for (const { report } of forms) {
    for (const note of report.steps.flatMap((step) => step.notes)) {
      if (note.outcome === 'float') counts.set(note.reason, (counts.get(note.reason) ?? 0) + 1);
    }
  }
  const [reason] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? ['nothing in it could be stored in fewer bits'];
  return `of most nodes, ${reason}`;
}

const nameWarnings = (models: readonly FolderModel[]): readonly string[] =>
  models
    .filter(({ name }) => !isAskedFor(name))
    .map(({ name }) => `transformers.js loads "${name}" only where model_file_name: '${name}' is passed to it.`);
