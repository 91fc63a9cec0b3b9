import { intsOf, isFloat, type Node, toNumbers } from '@espalier/core';
import type { Tensor as Device } from '@tensorflow/tfjs-core';
import { wrongShapes } from '../errors.js';
import type { Layout } from '../value.js';
import type { Gpu, Tf } from './gpu.js';
import { type GpuValue, gpuValue, onGpu } from './gpu-value.js';

/** One node to be computed on the GPU, with the values of its inputs. */
export interface GpuCall {
  readonly node: Node;
  /** Version of the default ONNX domain. */
  readonly opset: number;
  readonly gpu: Gpu;
  readonly tf: Tf;
  readonly inputs: readonly (GpuValue | undefined)[];
}

/**
 * Computes the outputs of a node, one per slot, as new values. `undefined` says that this form or type is not
 * covered; the node is then computed on the host, where that is possible, and refused otherwise.
 */
export type GpuKernel = (c: GpuCall) => readonly GpuValue[] | undefined;

/** A kernel that reads some of its inputs on the host: they are downloaded before it runs. */
export interface ReadingKernel {
  readonly reads: readonly number[];
  readonly run: GpuKernel;
}

/**
 * The way an op runs: by a kernel, on the host alone, or lowered to standard ops beforehand. The host computes
 * integers and shapes exactly, which the GPU cannot.
 */
export type GpuOp = GpuKernel | ReadingKernel | 'host' | 'lowered';

/** A kernel that reads inputs on the host. */
export const reading = (reads: readonly number[], run: GpuKernel): ReadingKernel => ({ reads, run });

/** The value of an input that the op cannot do without. */
export function need(c: GpuCall, slot: number): GpuValue {
  const value = c.inputs[slot];
  if (!value) throw wrongShapes(c.node, `input ${slot}`, 'none');
  return value;
}

/** Whether a value holds floats. */
export const isReal = (value: GpuValue): boolean => isFloat(value.dtype);

/** The tensor of an input in a layout. */
export const at = (c: GpuCall, slot: number, layout: Layout = 'plain'): Device => onGpu(c.gpu, need(c, slot), layout);

/** The numbers of an input that the kernel reads on the host; undefined when it is left out. */
export function numbersAt(c: GpuCall, slot: number): readonly number[] | undefined {
  const host = c.inputs[slot]?.host;
  return host && Array.from(toNumbers(host) as ArrayLike<number>);
}

/** Whole numbers that newer opsets carry as input `slot` and older ones as an attribute. */
export const listed = (c: GpuCall, slot: number, name: string): readonly number[] | undefined =>
  c.inputs[slot] ? numbersAt(c, slot) : intsOf(c.node, name, undefined);

/** One output of the given type and shape. Default: those of input 0. */
export const made = (
  c: GpuCall,
  device: Device,
  {
    dtype = need(c, 0).dtype,
    shape = need(c, 0).shape,
    layout = 'plain',
  }: { readonly dtype?: GpuValue['dtype']; readonly shape?: readonly number[]; readonly layout?: Layout } = {},
): GpuValue => gpuValue(c.gpu, device, { dtype, shape, layout });
