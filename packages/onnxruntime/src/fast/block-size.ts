import { buildGraph, floats, joinBytes } from '@espalier/core';
import { encodeOnnx, readOnnx } from '@espalier/onnx';
import { host } from '#host';
import type { Runtime } from '../runtime.js';
import { sessionOptions } from '../session-options.js';

const known = new WeakMap<object, Promise<number>>();

/**
 * The number of channels that the runtime's own convolutions keep side by side (NCHWc): 16 with AVX-512, 8 with AVX2, 0 where it
 * has no such convolutions or cannot report them. Detected once from its form of a small convolution.
 */
export function blockSize({ api, ...rest }: Runtime): Promise<number> {
  let size = known.get(api);
  if (!size) {
    size = probe({ api, ...rest }).catch(() => 0); // another build of the runtime: the plain form is always right
    known.set(api, size);
  }
  return size;
}

async function probe(runtime: Runtime): Promise<number> {
  if (runtime.package !== 'onnxruntime-node' || !host.temporaryFolder) return 0;
  const folder = await host.temporaryFolder();
  try {
    const session = await runtime.api.InferenceSession.create(joinBytes(encodeOnnx(convolution())), {
      ...sessionOptions(runtime, { threads: 1 }),
      optimizedModelFilePath: folder.pathOf('probe.onnx'),
    });
    await session.release();
    const found = await readOnnx(folder.files, 'probe.onnx');
    const filter = found.nodes.find(({ op }) => op === 'com.microsoft.nchwc::Conv')?.inputs[1];
    // The runtime pads the filters to whole blocks: four of them fill one.
    return filter === undefined ? 0 : (found.constants.get(filter)?.shape[0] ?? 0);
  } finally {
    await folder.remove();
  }
}

function convolution() {
  const b = buildGraph();
  const w = b.constant('w', floats(new Float32Array(4 * 64), [4, 64, 1, 1]));
  b.output(b.add('Conv', [b.input('x', 'float32', [1, 64, 4, 4]), w], { name: 'y' }));
  b.info('y', { dtype: 'float32', shape: [1, 4, 4, 4] });
  return b.finish();
}
