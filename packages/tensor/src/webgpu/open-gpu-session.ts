import type { Graph, Session } from '@espalier/core';
import { prepareGraph } from '../prepare-graph.js';
import { type Memory, openSessionIn, type RunResults } from '../session-shell.js';
import type { Gpu } from './gpu.js';
import { openGpuLoop } from './gpu-loop.js';
import { gpuOpOf } from './gpu-ops.js';
import { type GpuValue, releaseGpuValue } from './gpu-value.js';
import { runGpuPlan } from './run-gpu-plan.js';

/** Whether an op has kernels of its own here. */
const runs = (op: string): boolean => {
  const found = gpuOpOf(op);
  return found !== undefined && found !== 'lowered';
};

/** A session for a graph. Constants go to the GPU when they are first read. */
export function openGpuSession(gpu: Gpu, given: Graph): Session {
  const memory: Memory<GpuValue, Promise<RunResults<GpuValue>>> = {
    hold: (constant) => ({ dtype: constant.dtype, shape: constant.shape, host: constant }),
    run({ constants, carried, ...run }, feeds) {
      const held = carried.size > 0 ? new Map([...constants, ...carried]) : constants;
      return gpu.alone(() => runGpuPlan({ ...run, gpu, held }, feeds));
    },
    loop: (parts) => openGpuLoop({ ...parts, gpu }),
    // A run that is under way still reads the constants.
    idle: () => gpu.alone(async () => {}).catch(() => {}),
    release: releaseGpuValue,
  };
  return openSessionIn(memory, { given, prepared: prepareGraph(given, runs) });
}
