import { intsOf, type Node } from '@espalier/core';

/** One product of a sliding window: kernel element k meets input position i at output position o (flat indices). */
export interface Tap {
  readonly o: number;
  readonly k: number;
  readonly i: number;
}

/** Every tap that falls inside the input, in row-major order of o, then k. */
export function tapsOf(
  node: Node,
  { kernel, input, output }: { kernel: readonly number[]; input: readonly number[]; output: readonly number[] },
): readonly Tap[] {
  const strides = intsOf(
    node,
    'strides',
    kernel.map(() => 1),
  );
  const dilations = intsOf(
    node,
    'dilations',
    kernel.map(() => 1),
  );
  const pads = intsOf(node, 'pads', kernel.map(() => 0).concat(kernel.map(() => 0)));
  const taps: Tap[] = [];
  const visit = (axis: number, o: number, k: number, at: readonly (readonly [number, number])[]): void => {
    if (axis === kernel.length) {
      let i = 0;
      for (const [a, [oa, ka]] of at.entries()) {
        const position = oa * strides[a]! + ka * dilations[a]! - pads[a]!;
        if (position < 0 || position >= input[a]!) return;
        i = i * input[a]! + position;
      }
      taps.push({ o, k, i });
      return;
    }
    for (let oa = 0; oa < output[axis]!; oa++) {
      for (let ka = 0; ka < kernel[axis]!; ka++) {
        visit(axis + 1, o * output[axis]! + oa, k * kernel[axis]! + ka, [...at, [oa, ka]]);
      }
    }
  };
  visit(0, 0, 0, []);
  return taps.sort((a, b) => a.o - b.o || a.k - b.k);
}

/** Output sizes of a window without automatic padding. */
export function placesOf(node: Node, kernel: readonly number[], input: readonly number[]): readonly number[] {
  const strides = intsOf(
    node,
    'strides',
    kernel.map(() => 1),
  );
  const dilations = intsOf(
    node,
    'dilations',
    kernel.map(() => 1),
  );
  const pads = intsOf(node, 'pads', kernel.map(() => 0).concat(kernel.map(() => 0)));
  const ceil = node.attributes.get('ceil_mode');
  const round = ceil?.kind === 'int' && ceil.value === 1 ? Math.ceil : Math.floor;
  return input.map((size, a) => {
    const room = size + pads[a]! + pads[a + kernel.length]! - (kernel[a]! - 1) * dilations[a]! - 1;
    const places = round(room / strides[a]!) + 1;
    return (places - 1) * strides[a]! >= size + pads[a]! ? places - 1 : places;
  });
}
