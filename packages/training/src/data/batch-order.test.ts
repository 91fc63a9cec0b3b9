import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchOrder } from './batch-order.js';
import { prefetch } from './prefetch.js';

describe('the order of batches', () => {
  it('sees each sample at most once in an epoch, and leaves out what does not fill a batch', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 60 }), fc.nat(9), (size, wanted, seed) => {
        const batch = Math.min(size, wanted);
        const order = batchOrder({ size, batch, seed });
        const steps = Array.from({ length: order.stepsPerEpoch }, (_, i) => order.at(i));
        const seen = steps.flatMap(({ samples }) => samples);
        expect(new Set(seen).size).toBe(seen.length);
        expect(size - seen.length).toBeLessThan(batch);
        expect(seen.every((sample) => sample >= 0 && sample < size)).toBe(true);
      }),
    );
  });

  it('is the same from any step on, and another one in each epoch', () => {
    const whole = batchOrder({ size: 40, batch: 7, seed: 1 });
    const first = Array.from({ length: 12 }, (_, step) => whole.at(step));
    expect(batchOrder({ size: 40, batch: 7, seed: 1 }).at(9)).toEqual(first[9]);
    expect(first[0]!.samples).not.toEqual(first[5]!.samples);
    expect(first.map(({ epoch }) => epoch)).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2]);
  });
});

describe('prefetching', () => {
  it('keeps the order and never runs further ahead than asked', async () => {
    let [made, read, most] = [0, 0, 0];
    const make = async (index: number) => {
      most = Math.max(most, ++made - read);
      return index;
    };
    const seen: number[] = [];
    for await (const index of prefetch(make, { from: 3, to: 9, ahead: 2 })) {
      read++;
      seen.push(index);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(seen).toEqual([3, 4, 5, 6, 7, 8]);
    expect(most).toBeLessThanOrEqual(3);
  });

  it('reports a failure where that batch is due, and leaves none behind when the reader stops', async () => {
    const make = async (index: number) => {
      if (index === 1) throw new Error('broken sample');
      return index;
    };
    const batches = prefetch(make, { from: 0, to: 5 });
    expect((await batches.next()).value).toBe(0);
    await expect(batches.next()).rejects.toThrow('broken sample');
    for await (const index of prefetch(make, { from: 0, to: 5 })) {
      expect(index).toBe(0);
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 5)); // an unhandled rejection would fail the run here
  });
});
