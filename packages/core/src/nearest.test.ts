import { describe, expect, it } from 'vitest';
import { didYouMean, nearest } from './nearest.js';

describe('nearest', () => {
  it('finds a word with a missing, an extra, a wrong or a swapped letter', () => {
    const known = ['percentile', 'entropy', 'minmax', 'mse'];
    expect(nearest('percentle', known)).toBe('percentile');
    expect(nearest('entroppy', known)).toBe('entropy');
    expect(nearest('minmix', known)).toBe('minmax');
    expect(nearest('mimnax', known)).toBe('minmax');
    expect(nearest('MSE', known)).toBe('mse');
  });

  it('takes the nearest, and the first of equals', () => {
    expect(nearest('abcd', ['abxx', 'abcx', 'abcy'])).toBe('abcx');
  });

  it('counts a swap of neighbours as one edit', () => {
    expect(nearest('bacdefgh', ['acdefghx', 'abcdefgh'])).toBe('abcdefgh');
  });

  it('says nothing when nothing is near', () => {
    expect(nearest('quantum', ['mse'])).toBeUndefined();
    expect(didYouMean('quantum', [])).toBe('');
    expect(didYouMean('mnist', ['mnist2'])).toBe('Did you mean "mnist2"? ');
  });

  it('answers at once for absurdly long words', () => {
    const long = 'x'.repeat(1_000_000);
    const started = performance.now();
    expect(nearest(long, [`${long}y`, 'abc'])).toBeUndefined();
    expect(nearest('abc', [long])).toBeUndefined();
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
