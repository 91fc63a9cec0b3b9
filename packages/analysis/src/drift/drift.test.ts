import { buildGraph, createRandom, floats, type Graph, int, type Tensor } from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { driftBetween } from './drift-between.js';
import { linearCka } from './linear-cka.js';
import { representationDrift } from './representation-drift.js';

const normals = (count: number, seed: number) => {
  const random = createRandom(seed);
  return Float32Array.from({ length: count }, () => random.normal());
};

describe('linear CKA', () => {
  test('is the published formula: squared inner products of centered features', () => {
    // X centered is (-1, 0, 1), Y centered is (-1, 1, 0): ⟨x,y⟩² / (⟨x,x⟩⟨y,y⟩) = 1 / 4.
    const x = { values: [1, 2, 3], samples: 3 };
    const y = { values: [0, 2, 1], samples: 3 };
    expect(linearCka(x, y)).toBeCloseTo(0.25, 12);
  });

  test('is 1 for a rotation, a scaling and a shift, whatever the features', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.double({ min: 0, max: 6.3, noNaN: true }), (seed, angle) => {
        const values = normals(40, seed);
        const turned = Float64Array.from(values);
        for (let i = 0; i < 20; i++) {
          const [a, b] = [values[2 * i]!, values[2 * i + 1]!];
          turned[2 * i] = 7 + 3 * (a * Math.cos(angle) - b * Math.sin(angle));
          turned[2 * i + 1] = 3 * (a * Math.sin(angle) + b * Math.cos(angle)) - 2;
        }
        expect(linearCka({ values, samples: 20 }, { values: turned, samples: 20 })).toBeCloseTo(1, 6);
      }),
    );
  });

  test('is symmetric, between 0 and 1, and defined where nothing varies or numbers break', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(1000), (a, b) => {
        const x = { values: normals(24, a), samples: 8 };
        const y = { values: normals(40, b), samples: 8 };
        const found = linearCka(x, y);
        expect(found).toBeGreaterThanOrEqual(0);
        expect(found).toBeLessThanOrEqual(1);
        expect(linearCka(y, x)).toBeCloseTo(found, 12);
      }),
    );
    const still = { values: [5, 5, 5], samples: 3 };
    expect(linearCka(still, still)).toBe(1);
    expect(linearCka(still, { values: [1, 2, 3], samples: 3 })).toBe(0);
    expect(linearCka({ values: [Number.NaN, 1, 2], samples: 3 }, { values: [1, 2, 3], samples: 3 })).toBe(0);
  });
});

describe('drift of activations', () => {
  const before = new Map<string, Tensor>([
    ['a', floats([1, 2, 3, 4], [4, 1])],
    ['b', floats([1, 0, 0, 1], [2, 2])],
    ['gone', floats([1], [1, 1])],
  ]);

  test('compares by name and leaves out what only one side has', () => {
    const after = new Map<string, Tensor>([
      ['a', floats([2, 4, 6, 8], [4, 1])],
      ['b', floats([1, 0], [2, 1])],
    ]);
    const [a, b, ...rest] = driftBetween(before, after);
    expect(a).toMatchObject({ value: 'a', snrDb: 0, cka: 1 }); // twice as large: an error as large as the signal
    expect(b).toMatchObject({ value: 'b', snrDb: null });
    expect(b!.cka).toBeCloseTo(1, 12);
    expect(rest).toEqual([]);
  });

  test('refuses different numbers of samples', () => {
    expect(() => driftBetween(before, new Map([['a', floats([1], [1, 1])]]))).toThrow(/samples of "a": expected 4/);
  });
});

describe('drift between two models', () => {
  const executor = createOnnxRuntime({ threads: 1 });
  afterAll(() => executor.close());

  const model = (scale: number, width: number): Graph => {
    const b = buildGraph();
    const x = b.input('x', 'float32', ['batch', 6]);
    const first = normals(6 * width, 2).map((w) => w * scale);
    const hidden = b.add('MatMul', [x, b.constant('w1', floats(first, [6, width]))], { name: 'hidden' });
    const relu = b.add('Relu', [hidden], { name: 'relu' });
    const scores = b.add('MatMul', [relu, b.constant('w2', floats(normals(width * 3, 3), [width, 3]))], {
      name: 'scores',
    });
    b.output(b.add('Softmax', [scores], { name: 'y', attributes: { axis: int(1) } }));
    return b.finish();
  };
  const batches = [new Map([['x', floats(normals(6 * 32, 5), [32, 6])]])];

  test('a scaled layer errs but stays aligned', async () => {
    const { layers, samples, skipped } = await representationDrift(model(1, 8), model(1.5, 8), { executor, batches });
    expect(samples).toBe(32);
    expect(skipped).toEqual([]);
    expect(layers.map(({ value }) => value)).toEqual(['hidden', 'scores', 'y']);
    expect(layers[0]!.snrDb).toBeCloseTo(20 * Math.log10(2), 3);
    expect(layers[0]!.cka).toBeCloseTo(1, 5);
    expect(layers[2]!.cka!).toBeLessThan(0.999);
  });

  test('equal models do not drift, however small the groups are', async () => {
    const { layers } = await representationDrift(model(1, 8), model(1, 8), { executor, batches, groupBytes: 1 });
    for (const { snrDb, cka } of layers) expect({ snrDb, cka }).toEqual({ snrDb: 300, cka: 1 });
  });

  test('a layer of another width has an alignment and no ratio', async () => {
    const { layers } = await representationDrift(model(1, 8), model(1, 5), { executor, batches, samples: 16 });
    expect(layers[0]).toMatchObject({ value: 'hidden', snrDb: null });
    expect(layers[0]!.cka!).toBeGreaterThan(0.3);
  });

  test('needs samples', async () => {
    await expect(representationDrift(model(1, 8), model(1, 8), { executor, batches: [] })).rejects.toMatchObject({
      code: 'ANALYSIS_EMPTY',
    });
  });
});
