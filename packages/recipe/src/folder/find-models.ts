import { type Files, folderOf, missingFile, problem } from '@espalier/core';

/** A model to write in several forms. */
export interface FolderModel {
  readonly path: string;
  /** Its name in the new folder, without ending. */
  readonly name: string;
}

/** The models of a folder. */
export interface ModelsFound {
  readonly models: readonly FolderModel[];
  /** Files that transformers.js does not load, with the reason. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
  /** The folders in which configuration and tokenizer may stand, the nearest first. */
  readonly places: readonly string[];
}

/** Names that classes of transformers.js ask for by themselves. */
const asked = new Set([
  ...['model', 'encoder_model', 'decoder_model', 'decoder_model_merged', 'text_model', 'vision_model', 'audio_model'],
  ...['text_encoder', 'vision_encoder', 'audio_encoder', 'speech_encoder', 'prompt_encoder_mask_decoder'],
  ...['embed_tokens', 'prepare_inputs_embeds', 'language_model', 'lm_head', 'gen_head', 'gen_img_embeds'],
  ...['image_decode', 'encodec_decode', 'latent_denoiser', 'voice_decoder'],
  'conditional_decoder',
]);

const formEnding = /_(fp16|quantized|u?int8|bnb4|q\d+(f16)?)$/;
const decoder = /^decoder(_with_past)?_model(_merged)?$/;

/**
 * The models of a file or a folder (its subfolder `onnx` where there is one), and what each is called where
 * transformers.js looks for it. @throws FILE_MISSING, FOLDER_EMPTY.
 */
export async function findModels(files: Files, input: string): Promise<ModelsFound> {
  const single = (await files.size(input)) !== undefined;
  const folder = single ? folderOf(input) : await modelFolder(files, input.replace(/\/+$/, ''));
  const stems = await stemsIn(files, folder);
  const places = /(^|\/)onnx$/.test(folder) ? [folder, folderOf(folder)] : [folder];
  if (single) {
    const stem = input.slice(input.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '');
    return { models: [{ path: input, name: nameOf(stem, { stems, single: true }) }], skipped: [], places };
  }
  const reasons = stems.map((stem) => [stem, skipReason(stem, stems)] as const);
  const chosen = reasons.flatMap(([stem, reason]) => (reason === undefined ? [stem] : []));
  const path = (stem: string) => (folder ? `${folder}/${stem}.onnx` : `${stem}.onnx`);
  if (chosen.length === 0) throw noModels(input, stems);
  return {
    models: chosen.map((stem) => ({ path: path(stem), name: nameOf(stem, { stems, single: chosen.length === 1 }) })),
    skipped: reasons.flatMap(([stem, reason]) => (reason === undefined ? [] : [{ path: path(stem), reason }])),
    places,
  };
}

/** Whether a class of transformers.js asks for a model of that name without being told it. */
export const isAskedFor = (name: string): boolean => asked.has(name);

async function modelFolder(files: Files, input: string): Promise<string> {
  const names = await files.list(input).catch(() => {
    throw missingFile(input);
  });
  return names.includes('onnx/') ? (input ? `${input}/onnx` : 'onnx') : input;
}

async function stemsIn(files: Files, folder: string): Promise<readonly string[]> {
  const names = await files.list(folder).catch(() => []); // a store that lists nothing still has the file itself
  return names.filter((name) => /^[^.].*\.onnx$/.test(name)).map((name) => name.slice(0, -'.onnx'.length));
}

function skipReason(stem: string, stems: readonly string[]): string | undefined {
  if (formEnding.test(stem)) return 'it is a compressed form already';
  const taken = ['decoder_model_merged', ...(isLone(stem, stems) ? ['decoder_with_past_model'] : [])];
  const other = decoder.test(stem) ? taken.find((name) => stems.includes(name)) : undefined;
  return other === undefined || other === stem ? undefined : `transformers.js loads one decoder, and ${other} is there`;
}

/** Whether a model is a decoder that needs no encoder and no embeddings of its own. */
const isLone = (stem: string, stems: readonly string[]): boolean =>
  decoder.test(stem) && stems.every((other) => decoder.test(other) || formEnding.test(other));

/** A lone decoder is what transformers.js loads as `model`; so is any other model that is alone. */
function nameOf(stem: string, { stems, single }: { readonly stems: readonly string[]; readonly single: boolean }) {
  return isLone(stem, stems) || (single && !asked.has(stem)) ? 'model' : stem;
}

const noModels = (input: string, stems: readonly string[]) =>
  problem('FOLDER_EMPTY', {
    where: input,
    expected: 'a model in full precision, such as onnx/model.onnx',
    found: stems.length === 0 ? 'no .onnx file' : `only compressed forms: ${stems.join(', ')}`,
    fix: 'Name the folder that holds the exported model, or the model itself.',
  });
