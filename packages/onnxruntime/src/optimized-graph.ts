import type { Graph, ModelFile } from '@espalier/core';
import { readOnnx } from '@espalier/onnx';
import type { TemporaryFolder } from './host.js';
import { loadModel } from './load-model.js';
import type { Runtime } from './runtime.js';
import { sessionOptions } from './session-options.js';

/**
 * The graph as onnxruntime rewrites it: fused and quantized kernels are ordinary nodes in it (`QLinearConv`,
 * `com.microsoft::QGemm`). Rewrites that depend on the processor (blocked layouts) are left out. Large weights go to
 * a file beside the model, so models beyond 2 GB work too.
 */
export async function optimizedGraph(
  runtime: Runtime,
  file: ModelFile,
  makeFolder: () => Promise<TemporaryFolder>,
): Promise<Graph> {
  const folder = await makeFolder();
  try {
    const session = await loadModel(runtime, file, {
      ...sessionOptions(runtime, { threads: 1 }),
      graphOptimizationLevel: 'extended',
      optimizedModelFilePath: folder.pathOf('optimized.onnx'),
      extra: { session: { optimized_model_external_initializers_file_name: 'optimized.onnx.data' } },
    });
    await session.release();
    return await readOnnx(folder.files, 'optimized.onnx');
  } finally {
    await folder.remove();
  }
}
