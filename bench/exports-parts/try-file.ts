import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { CompressReport } from '@espalier/analysis';
import { EspalierError } from '@espalier/core';
import { nodeFiles } from '@espalier/core/node';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { compress, type Recipe } from '@espalier/recipe';
import { findPreset, registry } from 'espalier';
import { besidePeer, runPeer } from './peer.js';

/** What is tried on each file. */
export interface Setting {
  readonly presets: readonly string[];
  /** Calibration samples. */
  readonly samples: number;
  /** A Python with onnxruntime and onnx. */
  readonly peer?: string;
}

/** Calibration on some made samples, comparison on others. */
const withData = (recipe: Recipe, samples: number): Recipe => ({
  ...recipe,
  data: {
    calibration: { use: 'random', with: { take: samples, seed: 1 } },
    evaluation: { use: 'random', with: { take: 8, seed: 2 } },
  },
});

/** Prints one line for each preset; whether all of them gave a file. */
export async function tryFile(file: string, { presets, samples, peer }: Setting): Promise<boolean> {
  const place = mkdtempSync(join(tmpdir(), 'espalier-exports-'));
  const executor = createOnnxRuntime({ threads: 1 });
  const files = nodeFiles('/', { confine: false });
  try {
    const input = resolve(file);
    const peers = peer ? await runPeer({ python: peer, input, place, samples, executor }) : undefined;
    let fine = true;
    for (const preset of presets) {
      const output = join(place, `ours-${preset}.onnx`);
      try {
        const recipe = withData(findPreset(preset).recipe, samples);
        const report = await compress({ recipe, registry, executor, files, input, output });
        const beside = peers ? `\n    ${await besidePeer({ peers, preset, input, output, executor })}` : '';
        console.log(`  ${preset.padEnd(13)} ${line(report)}${beside}`);
      } catch (cause) {
        if (!(cause instanceof EspalierError)) throw cause;
        fine = false;
        console.log(`  ${preset.padEnd(13)} refused: ${cause.message.split('\n')[0]}`);
      }
    }
    return fine;
  } finally {
    await executor.close();
    rmSync(place, { recursive: true, force: true });
  }
}

function line({ input, output, comparison, latency, coverage, warnings }: CompressReport): string {
  const errors = comparison?.outputs.filter(({ count, undefinedBoth }) => undefinedBoth < count) ?? [];
  const worst = errors.length > 0 ? `${Math.min(...errors.map(({ snrDb }) => snrDb)).toFixed(1)} dB` : 'not run';
  const kinds = new Map<string, number>();
  for (const { op } of coverage?.stayedFloat ?? []) kinds.set(op, (kinds.get(op) ?? 0) + 1);
  const stayed = [...kinds].sort(([, a], [, b]) => b - a).map(([op, count]) => `${op} ${count}`);
  return [
    `${(output.bytes / input.bytes).toFixed(3)} of ${kib(input.bytes)}`.padStart(21),
    worst.padStart(9),
    `${latency ? latency.ratio.toFixed(2) : 'no'} time`.padStart(9),
    `${warnings.length} warnings`,
    `float: ${stayed.slice(0, 6).join(' ') || 'nothing'}`,
  ].join(' | ');
}

const kib = (bytes: number): string => `${(bytes / 1024).toFixed(0)} KiB`;
