import { intsOf, isFloat, toNumbers } from '@espalier/core';
import { unsupportedForm, wrongShapes } from './errors.js';
import type { Block } from './heap.js';
import type { Call } from './kernel.js';
import { blockOf, hostOf, type Layout, type Value } from './value.js';

/** The value of an input that the op cannot do without. */
export function need(c: Call, slot: number): Value {
  const value = c.inputs[slot];
  if (!value) throw wrongShapes(c.node, `input ${slot}`, 'none');
  return value;
}

/** Whether a value holds floats. */
export const isReal = (value: Value): boolean => isFloat(value.dtype);

/** Pointer to an input in a layout. */
export const at = (c: Call, slot: number, layout: Layout = 'plain'): number =>
  blockOf(c.heap, need(c, slot), layout).pointer;

/** The whole numbers (or floats) that an input holds, read to the host; undefined when it is left out. */
export function numbersAt(c: Call, slot: number): readonly number[] | undefined {
  const value = c.inputs[slot];
  return value && toNumbers(hostOf(c.heap, value));
}

/** Whole numbers that newer opsets carry as input `slot` and older ones as an attribute. */
export const listed = (c: Call, slot: number, name: string): readonly number[] | undefined =>
  c.inputs[slot] ? numbersAt(c, slot) : intsOf(c.node, name, undefined);

/** An axis counted from the front. @throws EXECUTOR_FAILED outside the rank. */
export function axisOf(c: Pick<Call, 'node'>, axis: number, rank: number): number {
  const front = axis < 0 ? axis + rank : axis;
  if (front < 0 || front >= Math.max(rank, 1)) throw wrongShapes(c.node, `an axis within rank ${rank}`, `${axis}`);
  return front;
}

/** A block for the output: the one of input `slot` where it dies and nobody else holds it, else a new one. */
export function blockFor(c: Call, slot: number, layout: Layout): Block {
  const value = need(c, slot);
  const block = value[layout];
  const other = layout === 'plain' ? value.last : value.plain;
  if (block && c.dies(slot) && block.holders === 1 && block !== other) {
    block.holders++; // the input lets go of its share when it is released
    return block;
  }
  return c.heap.allocate(blockOf(c.heap, value, layout).count);
}

/** Says that a form is refused, in the middle of a kernel. */
export const refuse = (c: Pick<Call, 'node'>, found: string): never => {
  throw unsupportedForm(c.node, found);
};

/** The kernel of ops that are only computed on the host, where the evaluators of `@espalier/passes` do it exactly. */
export const onHost = (): undefined => undefined;
