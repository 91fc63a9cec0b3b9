import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchNames } from './match-names.js';

describe('matchNames', () => {
  it('takes * for any run of characters and ? for one', () => {
    const test = matchNames(['conv?', '/layer1/*', '*.bias']);
    expect(['conv1', '/layer1/a/b', 'x.bias', '.bias'].every(test)).toBe(true);
    expect(['conv', 'conv10', 'layer1/a', 'x.biases', ''].some(test)).toBe(false);
    expect(matchNames([])('x')).toBe(false);
    expect(matchNames(['*'])('')).toBe(true);
  });

  it('takes every other character as it stands', () => {
    expect(matchNames(['a.b[0]'])('a.b[0]')).toBe(true);
    expect(matchNames(['a.b'])('axb')).toBe(false);
    expect(matchNames(['a*c'])('a*c')).toBe(true);
  });

  it('agrees with a regular expression', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 });
    const name = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 });
    fc.assert(
      fc.property(text, name, (pattern, word) => {
        const expected = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(word);
        expect(matchNames([pattern])(word)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('answers at once for patterns made to be slow', () => {
    const started = performance.now();
    expect(matchNames([`${'*a'.repeat(50)}b`])('a'.repeat(10_000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
