import { intOf, longs, type Node, sizeOf, type Tensor, textOf, toNumbers } from '@espalier/core';
import { read, written, zeros64 } from './array64.js';

type Inputs = readonly (Tensor | undefined)[];

/** ScatterND without reduction, or with addition. */
export function scatterND(node: Node, inputs: Inputs): readonly Tensor[] {
  const [data, updates] = [read(inputs[0]), read(inputs[2])];
  const indices = inputs[1]!;
  const depth = indices.shape.at(-1)!;
  const block = sizeOf(data.shape.slice(depth));
  const places = toNumbers(indices);
  const out = Float64Array.from(data.data);
  for (let row = 0; row < places.length / depth; row++) {
    let at = 0;
    for (let axis = 0; axis < depth; axis++) {
      const size = data.shape[axis]!;
      at = at * size + ((places[row * depth + axis]! + size) % size);
    }
    for (let i = 0; i < block; i++) {
      const before = textOf(node, 'reduction', 'none') === 'add' ? out[at * block + i]! : 0;
      out[at * block + i] = before + updates.data[row * block + i]!;
    }
  }
  return [written({ shape: data.shape, data: out })];
}

/** ScatterElements without reduction, or with addition; keeps integers. */
export function scatterElements(node: Node, inputs: Inputs): readonly Tensor[] {
  const [data, updates] = [read(inputs[0]), read(inputs[2])];
  const indices = inputs[1]!;
  const given = intOf(node, 'axis', 0);
  const axis = given < 0 ? given + data.shape.length : given;
  const out = Float64Array.from(data.data);
  for (const [i, index] of toNumbers(indices).entries()) {
    let [rest, at, step] = [i, 0, 1];
    for (let a = data.shape.length - 1; a >= 0; a--) {
      const own = rest % indices.shape[a]!;
      rest = Math.floor(rest / indices.shape[a]!);
      at += (a === axis ? (index + data.shape[a]!) % data.shape[a]! : own) * step;
      step *= data.shape[a]!;
    }
    out[at] = (textOf(node, 'reduction', 'none') === 'add' ? out[at]! : 0) + updates.data[i]!;
  }
  return inputs[0]!.dtype === 'int64' ? [longs([...out], data.shape)] : [written({ shape: data.shape, data: out })];
}

/** TopK, largest first, along the last axis. */
export function topK(_: Node, inputs: Inputs): readonly Tensor[] {
  const x = read(inputs[0]);
  const count = Number(inputs[1]!.data[0]);
  const width = x.shape.at(-1)!;
  const shape = [...x.shape.slice(0, -1), count];
  const places: number[] = [];
  for (let line = 0; line < x.data.length / width; line++) {
    const order = Array.from({ length: width }, (__, i) => i);
    order.sort((a, b) => x.data[line * width + b]! - x.data[line * width + a]!);
    places.push(...order.slice(0, count));
  }
  const values = Float64Array.from(places, (place, i) => x.data[Math.floor(i / count) * width + place]!);
  return [written({ shape, data: values }), longs(places, shape)];
}

/** Einsum of two operands with plain letters. */
export function einsum(node: Node, inputs: Inputs): readonly Tensor[] {
  const [a, b] = [read(inputs[0]), read(inputs[1])];
  const [left, result] = textOf(node, 'equation', '').split('->') as [string, string]; // explicit form
  const [ta, tb] = left.split(',') as [string, string]; // two operands
  const sizes = new Map<string, number>();
  for (const [i, letter] of [...ta].entries()) sizes.set(letter, a.shape[i]!);
  for (const [i, letter] of [...tb].entries()) sizes.set(letter, b.shape[i]!);
  const letters = [...sizes.keys()];
  const y = zeros64([...result].map((letter) => sizes.get(letter)!));
  const at = new Map<string, number>();
  const flat = (term: string) => [...term].reduce((place, letter) => place * sizes.get(letter)! + at.get(letter)!, 0);
  for (let i = 0; i < sizeOf([...sizes.values()]); i++) {
    let rest = i;
    for (const letter of letters) {
      at.set(letter, rest % sizes.get(letter)!);
      rest = Math.floor(rest / sizes.get(letter)!);
    }
    y.data[flat(result)]! += a.data[flat(ta)]! * b.data[flat(tb)]!;
  }
  return [written(y)];
}
