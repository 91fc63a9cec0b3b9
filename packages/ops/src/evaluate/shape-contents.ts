import { type Dim, type DType, intOf, type Node, sizeOf, type Tensor, tensor } from '@espalier/core';
import { broadcastShape, broadcastTo } from './broadcast.js';
import { castTarget } from './cast.js';
import { shapeRange } from './create.js';
import { evaluateNode } from './evaluate-node.js';

/** One element of a shape-like tensor: a number, a named size, or nothing known. */
export type Element = Dim | undefined;

/** The known facts about the elements of a small integer tensor whose value depends on the input's size. */
export interface Contents {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly elements: readonly Element[];
}

/** Tensors with more elements are weights or activations, not shapes. */
export const mostElements = 256;

const codesOf = (count: number, from = 0): Int32Array => Int32Array.from({ length: count }, (_, i) => from + i);

/** The contents of a small integer or boolean tensor. */
export function contentsOf(constant: Tensor): Contents | undefined {
  const { dtype, shape } = constant;
  if (sizeOf(shape) > mostElements || !['int64', 'int32', 'bool'].includes(dtype)) return undefined;
  return { dtype, shape, elements: Array.from(constant.data as ArrayLike<number | bigint>, Number) };
}

/** The tensor of contents whose elements are all numbers; undefined when one is not. */
export function tensorOfContents({ dtype, shape, elements }: Contents): Tensor | undefined {
  if (!elements.every((each): each is number => typeof each === 'number')) return undefined;
  if (dtype === 'int64') return tensor(dtype, shape, BigInt64Array.from(elements, BigInt));
  if (dtype === 'int32') return tensor(dtype, shape, Int32Array.from(elements));
  return tensor('bool', shape, Uint8Array.from(elements));
}

/** The contents of Shape: the dimensions themselves, named ones included. */
export const contentsOfShape = (node: Node, shape: readonly Dim[]): Contents => {
  const elements = shapeRange(shape, intOf(node, 'start', 0), intOf(node, 'end', shape.length));
  return { dtype: 'int64', shape: [elements.length], elements };
};

/** Which inputs of an op that only moves elements carry them; the others must be constants. */
const carried: ReadonlyMap<string, (slot: number) => boolean> = new Map([
  ...['Gather', 'GatherElements', 'GatherND', 'Slice', 'Split', 'Squeeze', 'Unsqueeze', 'Reshape', 'Flatten'].map(
    (op) => [op, (slot: number) => slot === 0] as const,
  ),
  ...['Identity', 'Transpose', 'Expand', 'Tile'].map((op) => [op, (slot: number) => slot === 0] as const),
  ['Concat', () => true],
  ['Where', (slot: number) => slot > 0],
]);

interface Inputs {
  readonly contents: readonly (Contents | undefined)[];
  readonly constants: readonly (Tensor | undefined)[];
  readonly opset: number;
}

/**
 * The contents of a node's outputs from those of its inputs. Movement runs the op's own evaluator on codes that
 * stand for elements; arithmetic is done per element where both sides are known.
 */
export function contentsAfter(node: Node, inputs: Inputs): readonly Contents[] | undefined {
  const moves = carried.get(node.op);
  if (moves) return moved(node, inputs, moves);
  if (node.op === 'Cast') return cast(node, inputs.contents[0]);
  const rule = arithmetic.get(node.op);
  const [a, b] = inputs.contents;
  return rule && a && b ? combined(a, b, rule) : undefined;
}

function moved(node: Node, { contents, constants, opset }: Inputs, moves: (slot: number) => boolean) {
  const pool: Element[] = [];
  const coded = node.inputs.map((value, slot): Tensor | undefined => {
    if (value === undefined || !moves(slot)) return constants[slot];
    const known = contents[slot];
    if (!known) return undefined;
    const codes = tensor('int32', known.shape, codesOf(known.elements.length, pool.length));
    pool.push(...known.elements);
    return codes;
  });
  const complete = coded.every((each, slot) => each !== undefined || node.inputs[slot] === undefined);
  const dtype = contents.find((each, slot) => each && moves(slot))?.dtype;
  const results = complete && dtype && evaluateNode(node, { inputs: coded, opset, maxBytes: 4 * mostElements });
  if (!results) return undefined;
  return results.map(({ shape, data }) => ({
    dtype,
    shape,
    elements: Array.from(data as Int32Array, (code) => pool[code]), // the evaluator was given int32 codes
  }));
}

function cast(node: Node, from: Contents | undefined): readonly Contents[] | undefined {
  const to = castTarget(node);
  // Sizes fit int32; other casts round or wrap, which a name cannot.
  if (!from || from.dtype === 'bool' || (to !== 'int64' && to !== 'int32')) return undefined;
  return [{ ...from, dtype: to }];
}

interface Arithmetic {
  readonly result?: DType;
  readonly of: (a: Element, b: Element) => Element;
}

const exactly = (compute: (a: number, b: number) => number) => (a: Element, b: Element) => {
  if (typeof a !== 'number' || typeof b !== 'number') return undefined;
  const value = compute(a, b);
  return Number.isSafeInteger(value) ? value : undefined;
};
const sum = exactly((a, b) => a + b);
const product = exactly((a, b) => a * b);
const named = (each: Element): boolean => typeof each === 'string';

// A size is at least 0: it never equals a negative number, and x * 1 = x + 0 = x - 0 = x / 1 = x for names too.
const arithmetic: ReadonlyMap<string, Arithmetic> = new Map<string, Arithmetic>([
  ['Add', { of: (a, b) => (a === 0 ? b : b === 0 ? a : sum(a, b)) }],
  ['Sub', { of: (a, b) => (b === 0 ? a : named(a) && a === b ? 0 : exactly((x, y) => x - y)(a, b)) }],
  ['Mul', { of: (a, b) => (a === 1 ? b : b === 1 ? a : a === 0 || b === 0 ? 0 : product(a, b)) }],
  ['Div', { of: (a, b) => (b === 1 ? a : exactly((x, y) => (y === 0 ? Number.NaN : Math.trunc(x / y)))(a, b)) }],
  ['Equal', { result: 'bool', of: equal }],
]);

function equal(a: Element, b: Element): Element {
  if (typeof a === 'number' && typeof b === 'number') return a === b ? 1 : 0;
  if (named(a) && a === b) return 1;
  return (named(a) && typeof b === 'number' && b < 0) || (named(b) && typeof a === 'number' && a < 0) ? 0 : undefined;
}

function combined(a: Contents, b: Contents, { of, result }: Arithmetic): readonly Contents[] | undefined {
  const shape = broadcastShape(a.shape, b.shape);
  if (!shape || sizeOf(shape) > mostElements || a.dtype !== b.dtype || a.dtype === 'bool') return undefined;
  const spread = ({ shape: own, elements }: Contents) => {
    const codes = broadcastTo(tensor('int32', own, codesOf(elements.length)), shape);
    return Array.from(codes.data as Int32Array, (code) => elements[code]); // int32 codes, as just made
  };
  const [x, y] = [spread(a), spread(b)];
  return [{ dtype: result ?? a.dtype, shape, elements: x.map((each, i) => of(each, y[i])) }];
}
