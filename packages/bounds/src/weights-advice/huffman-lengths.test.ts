import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codeStatistics } from './code-statistics.js';
import { huffmanLengths } from './huffman-lengths.js';

const counts = fc.array(fc.nat(50), { minLength: 1, maxLength: 40 });

describe('Huffman lengths', () => {
  test('are those of a code worked by hand', () => {
    expect([...huffmanLengths([5, 2, 1, 0])]).toEqual([1, 2, 2, 0]);
    expect([...huffmanLengths([1, 1, 1, 1])]).toEqual([2, 2, 2, 2]);
  });

  test('a lone symbol takes a bit, none takes nothing', () => {
    expect([...huffmanLengths([0, 7])]).toEqual([0, 1]);
    expect([...huffmanLengths([0, 0])]).toEqual([0, 0]);
    expect([...huffmanLengths([])]).toEqual([]);
  });

  test('fill the code space exactly (Kraft) and give frequent symbols shorter codes', () => {
    fc.assert(
      fc.property(counts, (list) => {
        const lengths = huffmanLengths(list);
        const used = list.flatMap((count, i) => (count > 0 ? [{ count, length: lengths[i]! }] : []));
        if (used.length < 2) return;
        expect(used.reduce((sum, { length }) => sum + 2 ** -length, 0)).toBe(1);
        for (const a of used)
          for (const b of used) if (a.count > b.count) expect(a.length).toBeLessThanOrEqual(b.length);
      }),
    );
  });

  test('are within a bit of the entropy, and never below it', () => {
    fc.assert(
      fc.property(counts, (list) => {
        const { entropyBits, huffmanBits, zeros } = codeStatistics(Uint32Array.from(list), 0);
        const total = list.reduce((sum, count) => sum + count, 0);
        if (total === 0) return;
        expect(huffmanBits).toBeGreaterThanOrEqual(entropyBits - 1e-9);
        expect(huffmanBits).toBeLessThanOrEqual(entropyBits + 1 + 1e-9);
        expect(zeros).toBe(list[0]! / total);
      }),
    );
  });

  test('reach the depth of Fibonacci counts', () => {
    const fibonacci = [1, 1];
    while (fibonacci.length < 60) fibonacci.push(fibonacci.at(-1)! + fibonacci.at(-2)!);
    expect(Math.max(...huffmanLengths(fibonacci))).toBe(59);
  });
});
