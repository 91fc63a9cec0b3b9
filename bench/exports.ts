import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { presets } from 'espalier';
import { modelsFolder } from '../test/fixtures.js';
import { type Setting, tryFile } from './exports-parts/try-file.js';

/**
 * Every preset on every file that people export: size, error and latency beside the original, and what stayed float.
 *
 *     tsx --conditions=@espalier/source bench/exports.ts [FILE..] [--presets int8,fp16] [--peer PYTHON] [--samples 32]
 *
 * Default: all files of the models folder and of its exports. With `--peer`, a Python that has onnxruntime and onnx,
 * three presets are set beside onnxruntime's own quantizers on the same calibration samples: bytes, error on other
 * samples, latency in turns. Each file has a process of its own. The exit code is 1 where a run failed.
 */
const words = process.argv.slice(2);
const after = (flag: string): string | undefined => (words.includes(flag) ? words[words.indexOf(flag) + 1] : undefined);
const files = words.filter((word, i) => !word.startsWith('--') && !words[i - 1]?.startsWith('--'));
const peer = after('--peer');
const setting: Setting = {
  presets: after('--presets')?.split(',') ?? Object.keys(presets),
  samples: Number(after('--samples') ?? 32),
  ...(peer ? { peer } : {}),
};

const one = after('--one');
if (one !== undefined) {
  process.exitCode = (await tryFile(one, setting)) ? 0 : 1;
} else {
  const flags = words.filter((word) => !files.includes(word));
  for (const file of files.length > 0 ? files : everyFile()) {
    const args = [...process.execArgv, process.argv[1]!, '--one', file, ...flags];
    const run = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 900_000, maxBuffer: 2 ** 26 });
    console.log(`${basename(file)}\n${run.stdout.trimEnd()}`);
    if (run.status === 0) continue;
    process.exitCode = 1;
    if (run.status !== 1) console.log(`    ended with ${run.signal ?? run.status}: ${run.stderr.trim().slice(-400)}`);
  }
}

function everyFile(): readonly string[] {
  const folder = modelsFolder();
  if (!folder) throw new Error('Set ESPALIER_MODELS to a folder with models, or name files.');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.onnx'))
    .sort()
    .map((name) => join(folder, name));
}
