import { host } from '#host';
import { backendMissing } from './errors.js';
import { startBackend } from './start-backend.js';

/** The parts of TensorFlow.js's WebAssembly backend in use: its allocator and its memory. */
export interface WasmBackend {
  makeOutput(shape: number[], dtype: 'float32'): { readonly dataId: object };
  disposeData(dataId: object): boolean;
  getMemoryOffset(dataId: object): number;
  readonly wasm: { readonly asm: { readonly memory: WebAssembly.Memory } };
}

/** The backend and the version of TensorFlow.js. */
export interface LoadedBackend {
  readonly backend: WasmBackend;
  readonly version: string;
}

/**
 * Starts the WebAssembly backend; TensorFlow.js keeps one instance of it. Which backend is the default of
 * TensorFlow.js stays as it was. @throws EXECUTOR_MISSING.
 */
export const loadBackend = (wasmPaths: string): Promise<LoadedBackend> =>
  host
    .guarded(() => start(wasmPaths))
    .catch((cause) => {
      throw backendMissing(cause);
    });

async function start(wasmPaths: string): Promise<LoadedBackend> {
  const [tf, wasm] = await Promise.all([import('@tensorflow/tfjs-core'), import('@tensorflow/tfjs-backend-wasm')]);
  const folder = wasmPaths || host.wasmFolder();
  if (!tf.engine().registry['wasm']) {
    if (folder) wasm.setWasmPaths(folder.endsWith('/') ? folder : `${folder}/`);
    if (!(await startBackend(tf, 'wasm'))) throw new Error('this runtime has no WebAssembly that it starts on');
  }
  // BackendWasm keeps `wasm.asm` out of its type.
  const backend = tf.findBackend('wasm') as unknown as WasmBackend;
  return { backend, version: tf.version_core };
}
