import type { Files } from '@espalier/core';
import { badValue } from '../errors.js';
import { findBeside } from './copy-companions.js';

type Fields = Readonly<Record<string, unknown>>;

/** The files of a new folder, for its configuration. */
export interface ConfigRequest {
  readonly files: Files;
  /** Where the configuration of the model may stand. */
  readonly places: readonly string[];
  readonly folder: string;
  /** The number of files of weights beside each model file, by its name (`model_q4.onnx`). */
  readonly beside: ReadonlyMap<string, number>;
  /** The dtypes that were written. */
  readonly dtypes: readonly string[];
}

/** The name of the block of `config.json` that transformers.js reads. */
const block = 'transformers.js_config';

/**
 * Copies `config.json` and says in it which models have weights beside them (`use_external_data_format`), as
 * transformers.js must know before it loads one. Other bytes are kept where there is nothing to say. Returns whether
 * there is a configuration, and warnings. @throws RECIPE_INVALID where it is no JSON object.
 */
export async function writeConfig(
  request: ConfigRequest,
): Promise<{ readonly written: boolean; readonly warnings: readonly string[] }> {
  const { files, places, folder, beside, dtypes } = request;
  const path = await findBeside(files, places, 'config.json');
  if (path === undefined) {
    const fix = `pass use_external_data_format to it: ${JSON.stringify(Object.fromEntries(external(beside)))}`;
    const missing = 'There is no config.json beside the model; transformers.js needs one';
    return {
      written: false,
      warnings: [`${missing}${external(beside).length > 0 ? `. When you add it, ${fix}` : ''}.`],
    };
  }
  const bytes = await files.read(path);
  const config = parsed(bytes, path);
  const before = fields(config[block]);
  const { use_external_data_format: _, ...others } = before;
  const kept = await entriesOf(request);
  const entries = Object.fromEntries([...kept, ...external(beside)].sort(([a], [b]) => (a < b ? -1 : 1)));
  const after: Fields = {
    ...others,
    ...(Object.keys(entries).length > 0 ? { use_external_data_format: entries } : {}),
  };
  const same = JSON.stringify(sorted(before)) === JSON.stringify(sorted(after));
  const text = `${JSON.stringify({ ...config, [block]: after }, null, 2)}\n`;
  const content = same ? bytes : new TextEncoder().encode(text);
  if (!same || path !== `${folder}/config.json`) await files.write(`${folder}/config.json`, [content]);
  const wanted = typeof before['dtype'] === 'string' ? [before['dtype']] : Object.values(fields(before['dtype']));
  const missing = wanted.filter((dtype) => dtype !== 'auto' && !dtypes.includes(String(dtype)));
  return {
    written: true,
    warnings: missing.map((dtype) => `config.json makes ${dtype} the default of transformers.js; it was not written.`),
  };
}

const external = (beside: ReadonlyMap<string, number>): readonly (readonly [string, number])[] =>
  [...beside].filter(([, count]) => count > 0);

/** Entries of a configuration that stands in the folder already, for models of an earlier run. */
async function entriesOf({ files, folder, beside }: ConfigRequest): Promise<readonly (readonly [string, number])[]> {
  const path = `${folder}/config.json`;
  if ((await files.size(path)) === undefined) return [];
  const found = fields(fields(parsed(await files.read(path), path)[block])['use_external_data_format']);
  const kept: (readonly [string, number])[] = [];
  for (const [name, count] of Object.entries(found)) {
    const there = !beside.has(name) && (await files.size(`${folder}/onnx/${name}_data`)) !== undefined;
    if (there) kept.push([name, Number(count)]);
  }
  return kept;
}

const fields = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}; // an object by the test

const sorted = (value: Fields): Fields =>
  Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));

function parsed(bytes: Uint8Array, path: string): Fields {
  const text = new TextDecoder().decode(bytes);
  try {
    const value: unknown = JSON.parse(text);
    if (fields(value) === value) return value as Fields; // `fields` gives back objects only
  } catch {
    // The error below says it.
  }
  throw badValue(path, 'a JSON object', text);
}
