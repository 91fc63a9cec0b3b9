import { type EspalierError, type Node, problem, wrongFeed } from '@espalier/core';

const where = (node: Node) => `node "${node.id}" (${node.op})`;

/** The TensorFlow.js backend could not be started. */
export const backendMissing = (cause: unknown): EspalierError =>
  problem('EXECUTOR_MISSING', {
    where: 'executor tfjs',
    expected: 'the WebAssembly backend of TensorFlow.js to start',
    found: messageOf(cause),
    fix: 'In a browser, serve the .wasm files of @tensorflow/tfjs-backend-wasm and name their folder in `wasmPaths`.',
    cause,
  });

/** The page, the browser or the installation has no WebGPU. */
export const webGpuMissing = (found: string, fix: string, cause?: unknown): EspalierError =>
  problem('EXECUTOR_MISSING', {
    where: 'executor tfjs, backend webgpu',
    expected: 'a WebGPU adapter and the package @tensorflow/tfjs-backend-webgpu',
    found,
    fix,
    details: { backend: 'webgpu' },
    cause,
  });

/** The GPU went away, and everything in its memory with it. */
export const deviceLost = (reason: string): EspalierError =>
  problem('EXECUTOR_LOST', {
    where: 'executor tfjs, backend webgpu',
    expected: 'the GPU device to stay',
    found: reason || 'a lost device',
    fix: "Close the session and open the graph again, which asks for a new device; if that is lost too, use backend 'wasm'.",
    details: { backend: 'webgpu' },
  });

/** The device refused work that was already given to it. */
export const deviceRefused = (found: string): EspalierError =>
  problem('EXECUTOR_FAILED', {
    where: 'executor tfjs, backend webgpu',
    expected: 'the GPU device to accept the run',
    found,
    fix: "Use backend 'wasm'.",
    details: { backend: 'webgpu' },
  });

/** A tensor is larger than the buffers of the device may be, or its memory is used up. */
export const deviceMemory = (place: string, expected: string, found: string): EspalierError =>
  problem('EXECUTOR_MEMORY', {
    where: place,
    expected,
    found,
    fix: "Run smaller batches, or use backend 'wasm'.",
    details: { backend: 'webgpu' },
  });

/** A value is of a type that this executor does not hold. */
export const unsupportedType = (place: string, found: string): EspalierError =>
  problem('EXECUTOR_UNSUPPORTED_TYPE', {
    where: place,
    expected: 'a tensor of numbers or truth values',
    found,
    fix: 'Cast it inside the model, or use another executor.',
    details: { type: found },
  });

/** No kernel computes this op. */
export const unsupportedOp = (node: Node): EspalierError =>
  problem('EXECUTOR_UNSUPPORTED_OP', {
    where: where(node),
    expected: 'an op with a kernel here',
    found: node.op,
    fix: 'Use another executor, such as onnxruntime.',
    details: { op: node.op, node: node.id },
  });

/** The op has a kernel, but not for this form of it. */
export const unsupportedForm = (node: Node, found: string): EspalierError =>
  problem('EXECUTOR_UNSUPPORTED_OP', {
    where: where(node),
    expected: 'a form of this op that has a kernel here',
    found,
    fix: 'Use another executor, such as onnxruntime.',
    details: { op: node.op, node: node.id },
  });

/** The inputs of a node do not fit each other. */
export const wrongShapes = (node: Node, expected: string, found: string): EspalierError =>
  problem('EXECUTOR_FAILED', { where: where(node), expected, found, details: { node: node.id } });

/** Whole numbers are 32 bits wide in here. */
export const outOfRange = (place: string, found: string): EspalierError =>
  problem('EXECUTOR_RANGE', {
    where: place,
    expected: 'whole numbers from -2147483648 to 2147483647',
    found,
    fix: 'This executor holds integers in 32 bits; use another one for larger numbers.',
  });

/** The WebAssembly memory, at most 4 GiB, is used up. */
export const outOfMemory = (bytes: number, cause?: unknown): EspalierError =>
  problem('EXECUTOR_MEMORY', {
    where: 'executor tfjs',
    expected: `room for ${bytes} more bytes in the WebAssembly memory of at most 4 GiB`,
    found: 'none',
    fix: 'Run smaller batches.',
    details: { bytes },
    cause,
  });

/** The kernels failed, for whatever reason they state. */
export const kernelFailed = (node: Node, cause: unknown): EspalierError =>
  problem('EXECUTOR_FAILED', {
    where: where(node),
    expected: 'the node to run',
    found: messageOf(cause),
    details: { node: node.id },
    cause,
  });

const messageOf = (cause: unknown): string => {
  const text =
    cause instanceof Error ? cause.message : String((cause as { message?: unknown } | undefined)?.message ?? cause);
  return text.split('\n', 1)[0]!.trim();
};

/** Two outputs are carried to one input. */
export const carriedTwice = (inputs: readonly string[]): EspalierError => {
  const twice = inputs.find((name, i) => inputs.indexOf(name) < i) ?? '';
  return wrongFeed(twice, { expected: 'one output that is carried to it', found: 'several' });
};
