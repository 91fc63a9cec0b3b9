import type { Dim, Emitter, Node, ValueId } from '@espalier/core';

/**
 * The tools of a rule: the node, the gradients that reached its outputs, and a way to emit nodes. Shapes are those
 * that shape inference found.
 */
export interface DerivativeContext extends Pick<Emitter, 'emit' | 'emitAll' | 'scalar' | 'floats' | 'longs'> {
  readonly node: Node;
  /** Name of input `slot`. @throws AUTODIFF_INPUT when it is left out. */
  input(slot: number): ValueId;
  /** Name of output `slot`; only of outputs that the node has. */
  output(slot: number): ValueId;
  /** Gradient of the loss with respect to output `slot`; undefined when the loss does not depend on it. */
  gradient(slot: number): ValueId | undefined;
  /** Whether the gradient of input `slot` is asked for. */
  wants(slot: number): boolean;
  /** Shape of a value. @throws AUTODIFF_SHAPE when it is not known. */
  shape(value: ValueId): readonly Dim[];
  /** Whether a value holds floats; also true where the dtype is not known. */
  isFloat(value: ValueId): boolean;
  isConstant(value: ValueId): boolean;
  /** Contents of a constant of whole numbers; undefined when the value is not constant. */
  numbers(value: ValueId | undefined): readonly number[] | undefined;
  /** A float32 constant of ones. */
  ones(shape: readonly number[]): ValueId;
  /** Zeros of the shape of a value. */
  zerosLike(value: ValueId): ValueId;
  /** The shape of a value as an int64 value: a constant where it is known, a Shape node otherwise. */
  shapeOf(value: ValueId): ValueId;
  /** Sums a gradient over what broadcasting added, so that it has the shape of `value`. */
  unbroadcast(gradient: ValueId, value: ValueId): ValueId;
}

/** Gradients with respect to each input, undefined where there is none or none is wanted. */
export type Derivative = (context: DerivativeContext) => readonly (ValueId | undefined)[];
