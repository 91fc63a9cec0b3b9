import type * as tfjs from '@tensorflow/tfjs-core';

/** TensorFlow.js, as a module. */
export type Tf = typeof tfjs;

/** A WebGPU device with TensorFlow.js on it. */
export interface Gpu {
  readonly tf: Tf;
  /** Name and version, with what the browser tells of the adapter. */
  readonly name: string;
  /** Most bytes of one tensor. */
  readonly largest: number;
  /** Runs `work`, which itself waits for nothing, on the device; of the tensors it makes, the kept ones stay. */
  use<T>(work: () => T): Promise<T>;
  /**
   * Waits until nobody else runs on the device, then runs `work` and throws what the device reports about it: it tells
   * of work that it refuses only afterwards, and computes nothing then.
   * @throws EXECUTOR_LOST, EXECUTOR_MEMORY, EXECUTOR_FAILED.
   */
  alone<T>(work: () => Promise<T>): Promise<T>;
}
