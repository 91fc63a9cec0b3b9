import type { SupportedOp } from '../kernel-of.js';
import type { GpuOp } from './gpu-kernel.js';
import { binaryOps } from './ops/binary.js';
import { conversionOps } from './ops/conversion.js';
import { convolutionOps } from './ops/convolution.js';
import { elementwiseOps } from './ops/elementwise.js';
import { matMulOps } from './ops/matmul.js';
import { movementOps } from './ops/movement.js';
import { normalizationOps } from './ops/normalization.js';
import { placeOps } from './ops/places.js';
import { poolOps } from './ops/pool.js';
import { reduceOps } from './ops/reduce.js';

/** The GPU form of each op that runs in WebAssembly, composed of the ops of TensorFlow.js. */
export const gpuOps = {
  ...elementwiseOps,
  ...binaryOps,
  ...conversionOps,
  ...matMulOps,
  ...convolutionOps,
  ...poolOps,
  ...normalizationOps,
  ...reduceOps,
  ...movementOps,
  ...placeOps,
} as const satisfies Record<SupportedOp, GpuOp>;

// A Map, because op names come from files and must not find properties of Object.
const byOp: ReadonlyMap<string, GpuOp> = new Map(Object.entries(gpuOps));

/** The GPU form of an op; undefined if it has none. */
export const gpuOpOf = (op: string): GpuOp | undefined => byOp.get(op);
