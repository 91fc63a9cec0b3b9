import { outOfMemory } from './errors.js';
import { type KernelModule, loadKernels } from './kernel-module.js';
import { loadBackend } from './load-backend.js';

/** A piece of the WebAssembly memory holding `count` 32-bit elements. `holders` counts the values that share it. */
export interface Block {
  readonly dataId: object;
  readonly pointer: number;
  readonly count: number;
  holders: number;
}

/** The WebAssembly memory and the routines that work in it. */
export interface Heap {
  readonly kernels: KernelModule;
  readonly version: string;
  /** A block with one holder; what it holds is undefined. @throws EXECUTOR_MEMORY. */
  allocate(count: number): Block;
  /** One holder fewer; the last one frees the block. */
  release(block: Block): void;
  /** Views; created at each call, because growth of the memory detaches them. */
  floats(block: Block): Float32Array;
  integers(block: Block): Int32Array;
  /** Writes whole numbers into a place that the next call overwrites, and returns its pointer. */
  meta(values: readonly number[]): number;
  /** Pointer to a place of 2048 floats that any routine may use while it runs. */
  readonly room: number;
  /** Blocks in use, for leak tests. */
  live(): number;
}

const most = 2 ** 30; // elements: the whole of the 4 GiB
const metaLength = 256;

let opening: Promise<Heap> | undefined;

/** The heap of this process: TensorFlow.js has one memory, so all executors share it. @throws EXECUTOR_MISSING. */
export function openHeap(wasmPaths: string): Promise<Heap> {
  opening ??= createHeap(wasmPaths).catch((cause) => {
    opening = undefined; // the next call may name another folder
    throw cause;
  });
  return opening;
}

async function createHeap(wasmPaths: string): Promise<Heap> {
  const { backend, version } = await loadBackend(wasmPaths);
  const { memory } = backend.wasm.asm;
  const kernels = await loadKernels(memory);
  let live = 0;

  const allocate = (count: number): Block => {
    if (count >= most) throw outOfMemory(count * 4);
    let dataId: object;
    try {
      // Vector routines may not be given an empty place.
      ({ dataId } = backend.makeOutput([Math.max(1, count)], 'float32'));
    } catch (cause) {
      throw outOfMemory(count * 4, cause);
    }
    const pointer = backend.getMemoryOffset(dataId);
    if (pointer === 0) {
      backend.disposeData(dataId);
      throw outOfMemory(count * 4);
    }
    live++;
    return { dataId, pointer, count, holders: 1 };
  };
  const meta = allocate(metaLength).pointer;
  const room = allocate(2048).pointer;
  live = 0;
  // The memory of a grown heap has another buffer; a view is kept as long as its buffer is the memory's.
  let words = new Int32Array(memory.buffer);
  const current = (): Int32Array => {
    if (words.buffer !== memory.buffer) words = new Int32Array(memory.buffer);
    return words;
  };

  return {
    kernels,
    version,
    allocate,
    release(block) {
      block.holders--;
      if (block.holders > 0) return;
      live--;
      backend.disposeData(block.dataId);
    },
    floats: ({ pointer, count }) => new Float32Array(memory.buffer, pointer, count),
    integers: ({ pointer, count }) => new Int32Array(memory.buffer, pointer, count),
    meta(values) {
      current().set(values, meta >>> 2);
      return meta;
    },
    room,
    live: () => live,
  };
}
