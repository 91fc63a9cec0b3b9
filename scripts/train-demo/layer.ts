import { floats, type GraphBuilder, type ValueId } from '@espalier/core';
import type { Allocate, Numbers } from './matrix.js';

/** Activations of a batch: samples, then channels, then rows and columns of a square. */
export interface Batch {
  readonly count: number;
  readonly channels: number;
  readonly side: number;
  readonly data: Numbers;
}

/** A trained array, its gradient, and what the optimizer remembers of it. */
export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly value: Numbers;
  readonly gradient: Numbers;
  readonly velocity: Numbers;
  /** Whether weight decay applies: to weights, not to biases and norms. */
  readonly decay: boolean;
}

/**
 * A function with its derivative. `backward` takes dL/dy of the last `forward`, adds to the gradients of the
 * parameters and gives dL/dx. `emit` writes the same function as ONNX nodes.
 */
export interface Layer {
  readonly parameters: readonly Parameter[];
  forward(x: Batch, training: boolean): Batch;
  backward(dy: Batch): Batch;
  emit(builder: GraphBuilder, x: ValueId): ValueId;
}

/** A batch of zeros like another one, with some of its sizes changed. */
export const emptyLike = (x: Batch, allocate: Allocate, change: Partial<Batch> = {}): Batch => {
  const shape = { ...x, ...change };
  return { ...shape, data: allocate(shape.count * shape.channels * shape.side ** 2) };
};

/** A parameter whose elements start as `fill()`. */
export function createParameter(
  name: string,
  shape: readonly number[],
  start: { readonly allocate: Allocate; readonly fill: () => number; readonly decay: boolean },
): Parameter {
  const length = shape.reduce((a, b) => a * b, 1);
  const value = start.allocate(length);
  for (let i = 0; i < length; i++) value[i] = start.fill();
  return {
    name,
    shape,
    value,
    gradient: start.allocate(length),
    velocity: start.allocate(length),
    decay: start.decay,
  };
}

/** Writes a parameter as a constant of the graph. */
export const emitParameter = (builder: GraphBuilder, { name, shape, value }: Parameter): ValueId =>
  builder.constant(name, floats(Float32Array.from(value), shape));
