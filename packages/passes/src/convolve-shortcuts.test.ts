import { buildGraph, floats, type Graph, ints, longs, text, usesOf } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { describe, expect, it } from 'vitest';
import { expectLossless } from '../../../test/expect-lossless.js';
import { convolveShortcuts } from './convolve-shortcuts.js';

interface Shape {
  readonly size?: number;
  /** Kernel of the convolution that the shortcut is added to. */
  readonly kernel?: number;
  readonly fill?: number;
  readonly mode?: string;
  readonly start?: number;
  /** Pictures that are gathered in this order first, of a batch of two. */
  readonly pictures?: readonly number[];
}

/** Two channels to four, every second pixel: x[:, :, ::2, ::2] between a channel of zeros on each side, beside a 3x3. */
function block({ size = 6, kernel = 3, fill = 0, mode = 'constant', start = 0, pictures }: Shape = {}): Graph {
  const b = buildGraph();
  const x = b.add('Relu', [b.input('x', 'float32', [pictures ? 2 : 'batch', 2, size, size])]);
  const weight = floats(
    Float32Array.from({ length: 8 * kernel * kernel }, (_, i) => Math.sin(i)),
    [4, 2, kernel, kernel],
  );
  const pad = (kernel - 1) / 2;
  const conv = b.add('Conv', [x, b.constant('w', weight)], {
    attributes: { strides: ints([2, 2]), pads: ints([pad, pad, pad, pad]) },
  });
  const list = (name: string, ...values: number[]) => b.constant(name, longs(values));
  const ordered = pictures ? b.add('Gather', [x, list('pictures', ...pictures)]) : x;
  const rows = b.add('Slice', [ordered, list('s', start), list('e', 2 ** 31 - 1), list('rows', 2), list('two', 2)]);
  const pixels = b.add('Slice', [
    rows,
    list('s2', start),
    list('e2', 2 ** 31 - 1),
    list('columns', 3),
    list('two2', 2),
  ]);
  const padded = b.add('Pad', [pixels, list('pads', 0, 1, 0, 0, 0, 1, 0, 0), b.constant('fill', floats([fill], []))], {
    name: 'shortcut',
    attributes: { mode: text(mode) },
  });
  b.output(b.add('Relu', [b.add('Add', [padded, conv])], { name: 'y' }));
  return inferShapes(b.finish());
}

const ops = (graph: Graph) => graph.nodes.map(({ op }) => op).join(' ');

describe('convolveShortcuts', () => {
  it.each([6, 7])(
    'writes a strided, padded shortcut of %i pixels as a convolution with ones and zeros',
    async (size) => {
      const graph = block({ size });
      const changed = await expectLossless(convolveShortcuts, graph, { tolerance: 0 });
      expect(ops(changed)).toBe('Relu Conv Conv Add Relu');
      expect([...changed.constants.keys()].filter((name) => usesOf(changed, name).length === 0)).toEqual([]);
      const conv = changed.nodes.find(({ outputs }) => outputs[0] === 'shortcut')!;
      const weight = changed.constants.get(conv.inputs[1]!)!;
      expect(weight).toEqual(floats([0, 0, 1, 0, 0, 1, 0, 0], [4, 2, 1, 1]));
    },
  );

  it('does the same to channels that are mirrored instead', async () => {
    const changed = await expectLossless(convolveShortcuts, block({ mode: 'reflect' }), { tolerance: 0 });
    const weight = changed.constants.get(changed.nodes.find(({ outputs }) => outputs[0] === 'shortcut')!.inputs[1]!);
    expect(weight).toEqual(floats([0, 1, 1, 0, 0, 1, 1, 0], [4, 2, 1, 1]));
  });

  it.each([
    ['a fill that is not zero', { fill: 1 }],
    ['pixels that begin at the second', { start: 1 }],
    ['pictures that are repeated', { pictures: [0, 0] }],
    ['too small a convolution beside it', { kernel: 1 }],
  ] satisfies [string, Shape][])('leaves %s', (_, shape) => {
    const graph = block(shape);
    expect(convolveShortcuts(graph)).toBe(graph);
  });
});
