import type { Kernel } from './kernel.js';
import { binaryKernels } from './kernels/binary.js';
import { blockKernels } from './kernels/blocks.js';
import { castKernels } from './kernels/cast.js';
import { convolutionKernels } from './kernels/convolution.js';
import { matMulKernels } from './kernels/matmul.js';
import { movementKernels } from './kernels/movement.js';
import { normalizationKernels } from './kernels/normalization.js';
import { padKernels } from './kernels/pad.js';
import { poolKernels } from './kernels/pool.js';
import { quantizationKernels } from './kernels/quantization.js';
import { reduceKernels } from './kernels/reduce.js';
import { resizeKernels } from './kernels/resize.js';
import { scatterKernels } from './kernels/scatter.js';
import { shapeKernels } from './kernels/shape.js';
import { sliceKernels } from './kernels/slice.js';
import { unaryKernels } from './kernels/unary.js';

/** Each op that runs here beside its kernel. */
export const kernels = {
  ...unaryKernels,
  ...binaryKernels,
  ...castKernels,
  ...matMulKernels,
  ...convolutionKernels,
  ...poolKernels,
  ...normalizationKernels,
  ...reduceKernels,
  ...movementKernels,
  ...sliceKernels,
  ...padKernels,
  ...blockKernels,
  ...shapeKernels,
  ...scatterKernels,
  ...resizeKernels,
  ...quantizationKernels,
} as const satisfies Record<string, Kernel>;

/** The name of an op that runs here. */
export type SupportedOp = keyof typeof kernels;

// A Map, because op names come from files and must not find properties of Object.
const byOp: ReadonlyMap<string, Kernel> = new Map(Object.entries(kernels));

/** The kernel of an op; undefined where there is none. */
export const kernelOf = (op: string): Kernel | undefined => byOp.get(op);

/** Every op that runs here, in alphabetical order. */
export const supportedOps: readonly string[] = [...byOp.keys()].sort();
