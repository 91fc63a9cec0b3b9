import { int, ints } from '@espalier/core';
import { expect, test } from 'vitest';
import { float32, network, normals } from '../../test/networks.js';
import { tryOut } from '../../test/oracle.js';
import { minmax } from '../observers/minmax.js';
import { staticQuantizer } from './static.js';

const draw = normals(6);
const quantizer = staticQuantizer({ activations: { observer: minmax() } });

/** Two pointwise convolutions around one whose groups read `width` channels and write `made`. */
const grouped = (width: number, made = width) =>
  network({
    inputs: { x: float32(1, 32, 8, 8) },
    outputs: ['y'],
    constants: {
      a: draw([32, 32, 1, 1], 0.2),
      w: draw([(32 / width) * made, width, 3, 3], 0.2),
      b: draw([32, (32 / width) * made, 1, 1], 0.2),
    },
    lines: [
      ['first', 'Conv', ['x', 'a'], ['h']],
      ['grouped', 'Conv', ['h', 'w'], ['g'], { group: int(32 / width), pads: ints([1, 1, 1, 1]) }],
      ['last', 'Conv', ['g', 'b'], ['y']],
    ],
  });
const feeds = [new Map([['x', draw([1, 32, 8, 8])]])];

test.each([
  ['2 channels', 2, 2],
  ['4 channels', 4, 4],
  ['one channel that makes two', 1, 2],
] as const)('a convolution in groups of %s stays float, with weights in 8 bits', async (_, width, made) => {
  const { ops, notes, bytes, snrDb } = await tryOut(grouped(width, made), quantizer, feeds);
  expect(ops).toMatchObject({ QLinearConv: 2 });
  expect(notes.map(({ outcome }) => outcome)).toEqual(['quantized', 'float', 'quantized']);
  expect(notes[1]?.reason).toMatch(/faster in float; its weights are stored in 8 bits/);
  expect(notes[1]?.details).toEqual({ storedBits: 8 });
  expect(bytes).toBeLessThan(0.75);
  expect(snrDb.get('y')).toBeGreaterThan(30);
});

test.each([
  ['a depthwise one', 1],
  ['groups of 8', 8],
] as const)('%s runs on integers', async (_, width) => {
  const { ops } = await tryOut(grouped(width), quantizer, feeds);
  expect(ops).toMatchObject({ QLinearConv: 3 });
});

test.each(['Conv', 'ConvTranspose'])(
  'a %s between quantized values that is left out stays float in the runtime',
  async (op) => {
    const graph = network({
      inputs: { x: float32(1, 32, 8, 8) },
      outputs: ['y'],
      constants: { a: draw([32, 32, 1, 1], 0.2), w: draw([32, 32, 1, 1], 0.2), b: draw([32, 32, 1, 1], 0.2) },
      lines: [
        ['first', 'Conv', ['x', 'a'], ['h']],
        ['middle', op, ['h', 'w'], ['m']],
        ['relu', 'Relu', ['m'], ['r']],
        ['last', 'Conv', ['r', 'b'], ['y']],
      ],
    });
    const leaving = staticQuantizer({ activations: { observer: minmax() }, ignore: ['middle'] });
    const { ops } = await tryOut(graph, leaving, feeds);
    expect(Object.entries(ops).filter(([name]) => name === op || name.endsWith('FusedConv'))).toHaveLength(1);
    expect(ops).toMatchObject({ QLinearConv: 2 });
  },
);
