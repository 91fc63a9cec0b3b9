import { buildGraph, createRandom, floats, int, sizeOf, type Tensor } from '@espalier/core';
import { afterAll, describe, expect, it } from 'vitest';
import { createTensorCore } from './create-tensor-core.js';

const executor = createTensorCore();
afterAll(() => executor.close());

const run = async (op: string, x: Tensor, axis: number): Promise<Float32Array> => {
  const b = buildGraph();
  b.output(b.add(op, [b.input('x', 'float32', x.shape)], { name: 'y', attributes: { axis: int(axis) } }));
  const session = await executor.open(b.finish());
  return (await session.run(new Map([['x', x]]))).get('y')!.data as Float32Array; // of the input's dtype
};

describe('LogSoftmax', () => {
  // A network that is sure of itself has log p near 0, and its gradients are what is left of 1 - p.
  it('keeps the digits of results near 0, whatever the size of the inputs', async () => {
    const random = createRandom(3);
    const [rows, classes] = [200, 10];
    const x = Float32Array.from({ length: rows * classes }, (_, i) =>
      Math.fround(30 * random.normal() + (i % classes === 3 ? 60 + (i % 7) : 0)),
    );
    const y = await run('LogSoftmax', floats(x, [rows, classes]), 1);
    let near = 0;
    for (let row = 0; row < rows; row++) {
      const own = Array.from(x.subarray(row * classes, (row + 1) * classes));
      const top = Math.max(...own);
      const others = own.reduce((sum, each) => sum + (each === top ? 0 : Math.exp(each - top)), 0);
      own.forEach((each, i) => {
        const want = each - top - Math.log1p(others);
        const found = y[row * classes + i]!;
        if (Math.abs(want) < 0.1 && want < -1e-7) near++;
        // Below 1e-9 a sum of float32 exponentials around 1 has nothing left.
        expect(Math.abs(found - want)).toBeLessThan(3e-7 * Math.abs(want) + 1e-9);
      });
    }
    expect(near).toBeGreaterThan(10);
  });

  it('agrees along an axis that is not the last', async () => {
    const x = floats(
      Float32Array.from({ length: sizeOf([2, 3, 4]) }, (_, i) => 20 + Math.sin(i)),
      [2, 3, 4],
    );
    const y = await run('LogSoftmax', x, 1);
    const sums = Array.from({ length: 8 }, (_, i) => {
      const at = Math.floor(i / 4) * 12 + (i % 4);
      return [0, 4, 8].reduce((sum, step) => sum + Math.exp(y[at + step]!), 0);
    });
    for (const sum of sums) expect(sum).toBeCloseTo(1, 6);
  });
});
