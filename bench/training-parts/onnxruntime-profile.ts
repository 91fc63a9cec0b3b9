import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Graph, Tensor } from '@espalier/core';
import { encodeOnnx } from '@espalier/onnx';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { prepareGraph } from '../../packages/onnxruntime/src/prepare-graph.js';
import { loadRuntime } from '../../packages/onnxruntime/src/runtime.js';
import { printProfile } from './print-profile.js';

interface Event {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly args: { readonly op_name?: string };
}

// The first two runs touch fresh pages of memory, the later ones reuse them: 29,000 page faults a run of ResNet-20, then 550 at most.
const warming = 3;

/**
 * Prints where onnxruntime's time goes, as it tells itself: by op, and by op and family of nodes. The first runs, which
 * get memory from the system, are left out.
 */
export async function onnxruntimeProfile(
  title: string,
  graph: Graph,
  {
    feeds,
    steps,
    threads = 1,
  }: { readonly feeds: ReadonlyMap<string, Tensor>; readonly steps: number; readonly threads?: number },
): Promise<void> {
  const runtime = await loadRuntime([{ package: 'onnxruntime-node', load: () => import('onnxruntime-node') }]);
  const folder = mkdtempSync(join(tmpdir(), 'espalier-profile-'));
  try {
    const session = await InferenceSession.create(Buffer.concat(encodeOnnx(await prepareGraph(runtime, graph))), {
      enableProfiling: true,
      profileFilePrefix: join(folder, 'profile'),
      intraOpNumThreads: threads,
      extra: { session: { intra_op: { allow_spinning: '0' } } },
      logSeverityLevel: 4,
    });
    const given = [...feeds].map(
      ([name, { dtype, data, shape }]) =>
        [name, new OrtTensor(dtype as 'float32', data as Float32Array, shape)] as const, // names agree
    );
    for (let i = 0; i < warming + steps; i++) await session.run(Object.fromEntries(given));
    session.endProfiling();
    await session.release();
    const file = readdirSync(folder)[0]!; // the one written
    const events = JSON.parse(readFileSync(join(folder, file), 'utf8')) as readonly Event[];
    const all = events.filter(({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time'));
    const kernels = all.slice((all.length / (warming + steps)) * warming); // each run has the same kernels
    const times = (keyOf: (event: Event) => string) =>
      kernels.map((event) => ({ key: keyOf(event), milliseconds: event.dur / 1000 }));
    printProfile(
      `${title} by op`,
      times(({ args }) => args.op_name ?? '?'),
      { steps },
    );
    const byFamily = times(({ args, name }) => `${args.op_name} ${familyOf(name)}`);
    printProfile(`${title} by op and family`, byFamily, { steps });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The part of a node's name that says what it is for: numbers, layers and endings left out. */
function familyOf(name: string): string {
  const family = name
    .replace(/_kernel_time$/, '')
    .replace(/^.*?(gradient|blocked)\//, '$1/')
    .replace(/[_/]?\d+/g, '');
  return family.slice(-48);
}
