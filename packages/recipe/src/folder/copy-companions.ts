import type { Files } from '@espalier/core';

/** Files beside a model that belong to it; `config.json` is written by itself. */
const companions = [
  'generation_config.json',
  'preprocessor_config.json',
  'processor_config.json',
  'image_processor_config.json',
  'feature_extractor_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'tokenizer.model',
  'sentencepiece.bpe.model',
  'spiece.model',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'vocab.txt',
  'merges.txt',
  'chat_template.jinja',
  'chat_template.json',
] as const;

/** The first of the places where a file stands, as a path. */
export async function findBeside(files: Files, places: readonly string[], name: string): Promise<string | undefined> {
  for (const place of places) {
    const path = place ? `${place}/${name}` : name;
    if ((await files.size(path)) !== undefined) return path;
  }
  return undefined;
}

/** Copies tokenizer, preprocessor and further settings of a model into a folder; returns the names of those found. */
export async function copyCompanions(
  files: Files,
  { places, folder }: { readonly places: readonly string[]; readonly folder: string },
): Promise<readonly string[]> {
  const copied: string[] = [];
  for (const name of companions) {
    const from = await findBeside(files, places, name);
    if (from === undefined) continue;
    if (from !== `${folder}/${name}`) await files.write(`${folder}/${name}`, [await files.read(from)]);
    copied.push(name);
  }
  return copied;
}
