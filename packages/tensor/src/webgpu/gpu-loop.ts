import { type Carry, closedAlready, type Loop, type Tensor, unknownOutput } from '@espalier/core';
import type { LoopParts, RunResults } from '../session-shell.js';
import type { Gpu } from './gpu.js';
import { download, type GpuValue, releaseGpuValue, sharedGpuValue } from './gpu-value.js';

type Values = ReadonlyMap<string, GpuValue>;

/** The parts of a loop on the GPU. */
export interface GpuLoopParts extends LoopParts<GpuValue, Promise<RunResults<GpuValue>>> {
  readonly gpu: Gpu;
}

/** Runs whose carried tensors stay on the GPU; they change only when a run has succeeded. */
export function openGpuLoop({ gpu, start, known, carried, name, done }: GpuLoopParts): Loop {
  const outputs = [...new Set(carried.map(({ output }) => output))];
  let now: Values = new Map(carried.map(({ input, initial }) => [input, hosted(initial)] as const));
  let turn: Promise<unknown> = Promise.resolve();
  let closed = false;
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    if (closed) return Promise.reject(closedAlready(`loop over graph "${name}"`));
    const task = turn.then(work);
    turn = task.catch(() => {});
    return task;
  };

  return {
    step: (feeds, fetch = []) =>
      inTurn(async () => {
        const { fetched, kept } = await start(feeds, { fetched: known(fetch), kept: outputs, carried: now });
        const before = now;
        now = await fedNext(gpu, carried, kept);
        for (const value of before.values()) releaseGpuValue(value);
        return fetched;
      }),
    read: (inputs = carried.map(({ input }) => input)) =>
      inTurn(() =>
        gpu.alone(async () => {
          const wanted = inputs.map((input) => {
            const value = now.get(input);
            if (value) return [input, value] as const;
            throw unknownOutput(input, [...now.keys()]);
          });
          return new Map(
            await Promise.all(wanted.map(async ([input, value]) => [input, await read(gpu, value)] as const)),
          );
        }),
      ),
    async close() {
      if (closed) return;
      closed = true;
      done();
      await turn;
      for (const value of now.values()) releaseGpuValue(value);
    },
  };
}

/** The same numbers in an array of their own. */
const copied = (source: Tensor): Tensor => ({ ...source, data: source.data.slice() }) as Tensor; // the same dtype

const hosted = (source: Tensor): GpuValue => ({ dtype: source.dtype, shape: source.shape, host: copied(source) });

/** The caller's own copy; none stays here beside the tensor on the GPU. */
async function read(gpu: Gpu, value: GpuValue): Promise<Tensor> {
  const tensor = copied(await download(gpu, value));
  if (value.plain || value.last) value.host = undefined;
  return tensor;
}

/** The next feed of each input. Several inputs may be fed one output, and an output may be an array of the caller's. */
function fedNext(gpu: Gpu, carried: readonly Carry[], kept: Values): Promise<Values> {
  const taken = new Set<string>();
  return gpu.use(
    () =>
      new Map(
        carried.map(({ input, output }) => {
          const value = kept.get(output)!; // all outputs were kept
          if (value.host && !value.plain && !value.last) return [input, hosted(value.host)] as const;
          if (taken.has(output)) return [input, sharedGpuValue(gpu, value)] as const;
          taken.add(output);
          return [input, value] as const;
        }),
      ),
  );
}
