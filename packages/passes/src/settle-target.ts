import { type Dim, intOf, type Node, type Tensor } from '@espalier/core';
import type { Contents, Element } from '@espalier/ops';

/** The known facts around a node that takes a computed shape. */
export interface Target {
  readonly node: Node;
  /** Of the input that holds the shape. */
  readonly contents: Contents;
  /** Shape of the data input, where known. */
  readonly data: readonly Dim[] | undefined;
  /** Shape of the output, where known. */
  readonly output: readonly Dim[] | undefined;
  /** The other inputs, where constant. */
  readonly constants: readonly (Tensor | undefined)[];
}

/** The end mark of Slice: "to the last element", whatever the size. */
const toTheEnd = 2 ** 31 - 1;

/**
 * Numbers that mean the same as a computed shape with named sizes in it, for the ops that have a word for "as the
 * input": 0 and -1 in Reshape, 1 in Expand, the end mark in Slice. `slot` is the input that holds the shape.
 */
export const settlers: ReadonlyMap<
  string,
  { slot: number; settle: (target: Target) => readonly number[] | undefined }
> = new Map([
  ['Reshape', { slot: 1, settle: settleReshape }],
  ['Expand', { slot: 1, settle: settleExpand }],
  ['Slice', { slot: 2, settle: settleSliceEnds }],
]);

/** [batch, -1] of data [batch, 8, 4] is [0, -1]; at most one element may be neither a number nor the input's own. */
function settleReshape({ node, contents, data, output }: Target): readonly number[] | undefined {
  if (contents.shape.length !== 1 || intOf(node, 'allowzero', 0) === 1) return undefined;
  const settled = contents.elements.map((each, i): Element => {
    if (typeof each === 'number' && each !== -1) return each;
    const size: Element = each === -1 || each === undefined ? (output?.[i] ?? each) : each;
    if (typeof size === 'number') return size;
    return size !== undefined && data?.[i] === size ? 0 : undefined;
  });
  const open = settled.filter((each) => each === undefined || each === -1).length;
  // Beside an empty axis, -1 has no answer.
  if (open > 1 || (open === 1 && settled.some((each, i) => each === 0 && data?.[i] === 0))) return undefined;
  return settled.map((each) => (typeof each === 'number' ? each : -1));
}

/** A named size that the input already has there broadcasts from 1. */
function settleExpand({ contents, data }: Target): readonly number[] | undefined {
  if (contents.shape.length !== 1 || !data) return undefined;
  const lead = contents.elements.length - data.length;
  const settled = contents.elements.map((each, i): Element => {
    if (typeof each === 'number') return each;
    return each !== undefined && data[i - lead] === each ? 1 : undefined;
  });
  return settled.every((each): each is number => typeof each === 'number') ? settled : undefined;
}

/** An end at the axis' own size, going forward, is "to the end". */
function settleSliceEnds({ node, contents, data, constants }: Target): readonly number[] | undefined {
  if (!data || contents.shape.length !== 1) return undefined;
  const listed = (slot: number) => constants[slot] && Array.from(constants[slot].data as ArrayLike<bigint>, Number);
  const axes = node.inputs[3] === undefined ? contents.elements.map((_, i) => i) : listed(3);
  const steps = node.inputs[4] === undefined ? contents.elements.map(() => 1) : listed(4);
  if (!axes || !steps) return undefined;
  const settled = contents.elements.map((each, i): Element => {
    if (typeof each === 'number') return each;
    const axis = axes[i]! < 0 ? axes[i]! + data.length : axes[i]!;
    return each !== undefined && data[axis] === each && steps[i]! > 0 ? toTheEnd : undefined;
  });
  return settled.every((each): each is number => typeof each === 'number') ? settled : undefined;
}
