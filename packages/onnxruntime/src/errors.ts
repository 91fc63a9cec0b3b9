import { type EspalierError, problem } from '@espalier/core';

/** No runtime could be loaded. */
export const runtimeMissing = (wanted: readonly string[], cause: unknown): EspalierError =>
  problem('EXECUTOR_MISSING', {
    where: 'executor onnxruntime',
    expected: wanted.length === 1 ? `the package ${wanted[0]}` : `one of the packages ${wanted.join(', ')}`,
    found: `that it could not be loaded (${cause instanceof Error ? cause.message.split('\n')[0] : String(cause)})`,
    fix: `Install it: ${wanted[0] === 'onnxruntime-node' ? 'ONNXRUNTIME_NODE_INSTALL=skip ' : ''}npm install ${wanted[0]}${wanted[0] === 'onnxruntime-node' ? ' (the variable keeps its install script from fetching CUDA libraries, which are not needed).' : ''}`,
    details: { packages: wanted },
    cause,
  });

/** The runtime cannot pass values of this type in or out. */
export const unsupportedType = (where: string, found: string, runtime: string): EspalierError =>
  problem('EXECUTOR_UNSUPPORTED_TYPE', {
    where,
    expected: `a type that ${runtime} passes between the model and its caller`,
    found,
    fix: 'Cast it inside the model, so that inputs and outputs are ordinary tensors.',
    details: { type: found },
  });

/** The runtime has no kernel for an op, or does not know it. */
export const unsupportedOp = (
  { op, node, runtime }: { op: string; node?: string | undefined; runtime: string },
  cause: unknown,
): EspalierError =>
  problem('EXECUTOR_UNSUPPORTED_OP', {
    where: node ? `node "${node}" (${op})` : `op ${op}`,
    expected: `an op that ${runtime} implements`,
    found: messageOf(cause),
    fix: 'Keep this op in another form or element type, convert the model to another opset, or use another executor.',
    details: { op, ...(node ? { node } : {}) },
    cause,
  });

/** The runtime gave up, for whatever reason it states. */
export const runtimeFailed = (
  { where, expected, node }: { where: string; expected: string; node?: string | undefined },
  cause: unknown,
): EspalierError =>
  problem('EXECUTOR_FAILED', {
    where,
    expected,
    found: messageOf(cause),
    ...(node ? { details: { node } } : {}),
    cause,
  });

/** Something that only the Node runtime can do was asked of another one. */
export const nodeOnly = (what: string, runtime: string): EspalierError =>
  problem('EXECUTOR_UNSUPPORTED', {
    where: what,
    expected: 'onnxruntime-node',
    found: runtime,
    fix: 'Install onnxruntime-node and leave `backend` at "auto" or "node".',
  });

// One line, without the runtime's own source position and status code in front.
function messageOf(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message
    .replace(/\s+/g, ' ')
    .replace(/^.*?ERROR_CODE: \d+, ERROR_MESSAGE: /, '')
    .replace(/^\S+\.(?:h|cc):\d+ [^()]*\([^()]*\) /, '')
    .replace(/\.$/, '')
    .trim();
}
