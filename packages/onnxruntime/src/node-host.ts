import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFiles } from '@espalier/core/node';
import type { Host } from './host.js';

/** Node: the native runtime, temporary folders, and the cores of this machine. */
export const host: Host = {
  native: { package: 'onnxruntime-node', load: () => import('onnxruntime-node') },
  async temporaryFolder() {
    const folder = await mkdtemp(join(tmpdir(), `espalier-${process.pid}-`));
    if (left.size === 0) process.once('exit', removeLeft);
    left.add(folder);
    return {
      files: nodeFiles(folder),
      pathOf: (name) => join(folder, name),
      async remove() {
        await rm(folder, { recursive: true, force: true });
        left.delete(folder);
        if (left.size === 0) process.off('exit', removeLeft);
      },
    };
  },
  cores: () => Math.max(1, Math.min(availableParallelism(), physicalCores() ?? Number.POSITIVE_INFINITY)),
};

const left = new Set<string>();
const removeLeft = () => {
  for (const folder of left) rmSync(folder, { recursive: true, force: true });
};

// Hyper-threads share one core's arithmetic units, so counting them as cores only adds waiting. Linux tells which
// processors are siblings; elsewhere every processor counts.
function physicalCores(): number | undefined {
  try {
    const root = '/sys/devices/system/cpu';
    const cores = readdirSync(root)
      .filter((name) => /^cpu\d+$/.test(name))
      .map((name) => readFileSync(`${root}/${name}/topology/thread_siblings_list`, 'utf8'));
    return new Set(cores).size || undefined;
  } catch {
    return undefined; // not Linux, or a sandbox without /sys
  }
}
