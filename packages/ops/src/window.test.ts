import { createNode, int, ints, text } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { windowOf } from './window.js';

const conv = (attributes: Parameters<typeof createNode>[0]['attributes'] = {}) =>
  createNode({ id: 'c', op: 'Conv', inputs: ['x', 'w'], outputs: ['y'], attributes });
const pads = (autoPad: string, size: number, { kernel = 3, stride = 2, dilation = 1 } = {}) =>
  windowOf(conv({ auto_pad: text(autoPad), strides: ints([stride]), dilations: ints([dilation]) }), {
    kernel: [kernel],
    input: () => [size],
  }).pads;

describe('windowOf', () => {
  it('writes every default out', () => {
    expect(windowOf(conv(), { kernel: [3, 2] })).toEqual({
      kernel: [3, 2],
      strides: [1, 1],
      dilations: [1, 1],
      pads: [0, 0, 0, 0],
      autoPad: 'NOTSET',
      group: 1,
    });
    const written = conv({ pads: ints([1, 2, 3, 4]), group: int(2) });
    expect(windowOf(written, { kernel: [3, 2] })).toMatchObject({ pads: [1, 2, 3, 4], group: 2 });
  });

  it('resolves SAME padding, the odd one at the end or at the beginning', () => {
    // By hand: 5 with stride 2 has 3 places, (3 - 1)·2 + 3 - 5 = 2 in all; 6 has 3 places, 4 + 3 - 6 = 1.
    expect(pads('SAME_UPPER', 5)).toEqual([1, 1]);
    expect(pads('SAME_UPPER', 6)).toEqual([0, 1]);
    expect(pads('SAME_LOWER', 6)).toEqual([1, 0]);
    // A reach of 5 with stride 1 over 7: 6 + 5 - 7 = 4.
    expect(pads('SAME_UPPER', 7, { stride: 1, dilation: 2 })).toEqual([2, 2]);
    // A stride beyond the kernel needs none.
    expect(pads('SAME_UPPER', 4, { kernel: 1, stride: 4 })).toEqual([0, 0]);
  });

  it('has no padding for VALID, and none yet for SAME without sizes', () => {
    expect(pads('VALID', 6)).toEqual([0, 0]);
    expect(windowOf(conv({ auto_pad: text('SAME_UPPER') }), { kernel: [3] })).toMatchObject({
      pads: [0, 0],
      autoPad: 'SAME_UPPER',
    });
  });
});
