import fc from 'fast-check';
import { expect, test } from 'vitest';
import { normals } from '../test/networks.js';
import { codebooks, toCodebook } from './codebook.js';

test('NF4 has eight numbers below, one at, and seven above zero; FP4 mirrors its eight', () => {
  expect([...codebooks.nf4].map(Math.sign)).toEqual([...Array(7).fill(-1), 0, ...Array(8).fill(1)]);
  expect([...codebooks.fp4.slice(8)]).toEqual([...codebooks.fp4.slice(0, 8)].map((number) => -number));
});

test('a block is divided by its largest magnitude and each weight takes the nearest number', () => {
  const { codes, scale } = toCodebook(Float32Array.of(0.5, -2, 0, 2, 3, -3), {
    codebook: codebooks.nf4,
    block: 4,
    clip: 'minmax',
  });
  expect([...scale]).toEqual([2, 3]);
  expect([...codes]).toEqual([10, 0, 7, 15, 15, 0]);
});

test('FP4 codes are sign, exponent and mantissa, and its second zero is never written', () => {
  const weights = Float32Array.of(12, 8, 6, 4, 3, 2, 0.0625, 0, -12, -8, -6, -4, -3, -2, -0.0625, -0);
  const { codes, scale } = toCodebook(weights, { codebook: codebooks.fp4, block: 16, clip: 'minmax' });
  expect([...scale]).toEqual([12]);
  expect([...codes]).toEqual([3, 2, 5, 4, 7, 6, 1, 0, 11, 10, 13, 12, 15, 14, 9, 0]);
});

test('a block of zeros stays zero', () => {
  const { codes, scale } = toCodebook(new Float32Array(3), { codebook: codebooks.nf4, block: 64, clip: 'mse' });
  expect([[...codes], [...scale]]).toEqual([[7, 7, 7], [0]]);
});

test('no other number of the codebook is nearer, whatever the weights', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(codebooks.nf4, codebooks.fp4),
      fc.float32Array({
        minLength: 1,
        maxLength: 40,
        noNaN: true,
        noDefaultInfinity: true,
        max: Math.fround(1e30),
        min: Math.fround(-1e30),
      }),
      (codebook, weights) => {
        const { codes, scale } = toCodebook(weights, { codebook, block: 16, clip: 'minmax' });
        return [...weights].every((weight, i) => {
          const by = scale[Math.floor(i / 16)]!;
          if (by === 0) return codebook[codes[i]!] === 0;
          const gap = (code: number) => Math.abs(weight / by - codebook[code]!);
          return [...codebook.keys()].every((code) => gap(codes[i]!) <= gap(code));
        });
      },
    ),
    { numRuns: 60 },
  );
});

test('scales of least squared error are never worse than the largest magnitude', () => {
  const { data } = normals(3)([640]);
  const error = (clip: 'minmax' | 'mse') => {
    const { codes, scale } = toCodebook(data, { codebook: codebooks.nf4, block: 64, clip });
    return data.reduce((sum, w, i) => sum + (w - codebooks.nf4[codes[i]!]! * scale[Math.floor(i / 64)]!) ** 2, 0);
  };
  expect(error('mse')).toBeLessThan(error('minmax'));
});
