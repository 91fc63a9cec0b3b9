import { buildGraph, floats, toNumbers } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { decodeOnnx, encodeOnnx } from './index.js';

describe('bytes in a Buffer of Node', () => {
  it('are read wherever they begin, although a Buffer shares its bytes when it is sliced', () => {
    const b = buildGraph();
    b.output(b.add('Add', [b.input('x', 'float32', [2]), b.constant('w', floats([1.5, -2]))]));
    const bytes = encodeOnnx(b.finish());
    for (const shift of [0, 1, 2, 3]) {
      const shifted = Buffer.concat([new Uint8Array(shift), ...bytes]).subarray(shift);
      expect(toNumbers(decodeOnnx(shifted).constants.get('w')!)).toEqual([1.5, -2]);
    }
  });
});
