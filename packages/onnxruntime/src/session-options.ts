import type { OpenOptions } from '@espalier/core';
import type { InferenceSession } from 'onnxruntime-node';
import type { Runtime } from './runtime.js';

/** Facts that decide how a session is created. */
export interface SessionFacts {
  readonly threads: number;
  /** Whether the model holds float16 constants. */
  readonly halves?: boolean;
}

/**
 * The options every session is created with. Waiting threads sleep instead of spinning: other work shares the cores,
 * and results stay the same. Each session runs on the calling thread plus `threads - 1` more.
 */
export const sessionOptions = (
  { package: name }: Runtime,
  { optimize = true, threads, halves = false }: OpenOptions & SessionFacts,
): InferenceSession.SessionOptions => ({
  executionProviders: [name === 'onnxruntime-node' ? 'cpu' : 'wasm'],
  ...(name === 'onnxruntime-node' && threads > 0 ? { intraOpNumThreads: threads } : {}),
  interOpNumThreads: 1,
  graphOptimizationLevel: optimize ? 'all' : 'disabled',
  // Failures arrive as exceptions; the runtime would print each of them as well.
  logSeverityLevel: 4,
  extra: {
    session: { intra_op: { allow_spinning: '0' } },
    // A Transpose that is fused into a MatMul with a constant of float16 ends the process (version 1.30).
    ...(halves ? { optimization: { disable_specified_optimizers: 'MatmulTransposeFusion' } } : {}),
  },
});
