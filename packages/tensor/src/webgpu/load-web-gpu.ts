import { EspalierError } from '@espalier/core';
import { backendMissing, deviceLost, deviceMemory, deviceRefused, webGpuMissing } from '../errors.js';
import { hasWebGpu } from '../has-web-gpu.js';
import { startBackend, startedBackends } from '../start-backend.js';
import type { Gpu, Tf } from './gpu.js';

/** The parts of TensorFlow.js's WebGPU backend in use, besides its ops. */
interface WebGpuBackend {
  readonly device: GPUDevice;
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

let opening: Promise<Gpu> | undefined;

/**
 * The WebGPU device of this page with TensorFlow.js on it; all executors share it, and after it was lost the next call
 * asks for another one. Which backend is the default of TensorFlow.js stays as it was. @throws EXECUTOR_MISSING.
 */
export function loadWebGpu(): Promise<Gpu> {
  opening ??= start(() => {
    opening = undefined;
  }).catch((cause) => {
    opening = undefined;
    throw cause instanceof EspalierError ? cause : backendMissing(cause);
  });
  return opening;
}

async function start(forget: () => void): Promise<Gpu> {
  await demandAdapter();
  const tf = await import('@tensorflow/tfjs-core');
  await loadKernels();
  const backend = await backendOf(tf);
  let lost: EspalierError | undefined;
  backend.device.lost.then(({ message }) => {
    lost = deviceLost(message);
    forget();
    dropBackend(tf);
  });
  const { vendor, architecture } = backend.device.adapterInfo ?? {};
  const adapter = [vendor, architecture].filter(Boolean).join(' ');
  let turn: Promise<unknown> = Promise.resolve();

  return {
    tf,
    name: `tfjs-backend-webgpu ${tf.version_core}${adapter ? ` (${adapter})` : ''}`,
    largest: Math.min(backend.device.limits.maxStorageBufferBindingSize, backend.device.limits.maxBufferSize),
    async use(work) {
      await startedBackends(tf);
      return onBackend(tf, work);
    },
    alone(work) {
      const task = turn.then(async () => {
        if (lost) throw lost;
        return watched(backend, work).catch((cause) => {
          throw lost ?? cause;
        });
      });
      turn = task.catch(() => {});
      return task;
    },
  };
}

async function demandAdapter(): Promise<void> {
  if (!globalThis.navigator?.gpu) {
    const secure = globalThis.isSecureContext !== false;
    throw webGpuMissing(
      secure ? 'no navigator.gpu' : 'a page that is not a secure context',
      secure
        ? "Use a browser with WebGPU, or backend 'wasm'; Node has none."
        : "Serve the page by https or from localhost, or use backend 'wasm'.",
    );
  }
  if (!(await hasWebGpu()))
    throw webGpuMissing('no adapter', "Turn on hardware acceleration in the browser, or use backend 'wasm'.");
}

/** An optional peer: only pages that ask for WebGPU need it. */
async function loadKernels(): Promise<void> {
  try {
    await import('@tensorflow/tfjs-backend-webgpu');
  } catch (cause) {
    throw webGpuMissing(
      'no package @tensorflow/tfjs-backend-webgpu',
      'Install @tensorflow/tfjs-backend-webgpu in the version of @tensorflow/tfjs-core.',
      cause,
    );
  }
}

async function backendOf(tf: Tf): Promise<WebGpuBackend> {
  if (!(await startBackend(tf, 'webgpu'))) throw new Error('the WebGPU backend of TensorFlow.js does not start');
  return tf.findBackend('webgpu') as unknown as WebGpuBackend; // KernelBackend does not know of devices
}

/** Takes a dead backend out, so that the next call starts one on a new device. */
function dropBackend(tf: Tf): void {
  const factory = tf.findBackendFactory('webgpu');
  tf.removeBackend('webgpu');
  tf.registerBackend('webgpu', factory, 3);
}

/** The default backend is one for the whole page: it is ours only while `work` runs. */
function onBackend<T>(tf: Tf, work: () => T): T {
  const engine = tf.engine();
  const before = engine.backendName;
  // For a backend that has started, this takes effect before it returns.
  if (before !== 'webgpu') void tf.setBackend('webgpu');
  engine.startScope();
  try {
    return work();
  } finally {
    engine.endScope();
    if (before && before !== 'webgpu' && engine.registry[before]) void tf.setBackend(before);
  }
}

const scopes = ['validation', 'out-of-memory', 'internal'] as const;

async function watched<T>(backend: WebGpuBackend, work: () => Promise<T>): Promise<T> {
  const { device } = backend;
  for (const scope of scopes) device.pushErrorScope(scope);
  const [outcome] = await Promise.allSettled([work()]);
  // Commands that wait for submission would report their errors, or fail, in the next run.
  backend.ensureCommandEncoderReady();
  backend.endComputePassEncoder();
  backend.submitQueue();
  const reports = await Promise.all(scopes.map(() => device.popErrorScope()));
  // A run that failed by itself says more than what followed from it.
  if (outcome.status === 'rejected') throw outcome.reason;
  const report = reports.find((each) => each !== null);
  if (!report) return outcome.value;
  const [message = ''] = report.message.split('\n', 1);
  throw report instanceof GPUOutOfMemoryError
    ? deviceMemory('executor tfjs, backend webgpu', 'room in the memory of the GPU', message)
    : deviceRefused(message);
}
