import {
  buildGraph,
  type Collector,
  createRandom,
  type DType,
  EspalierError,
  type Executor,
  floats,
  fromNumbers,
  type Graph,
  type Histogram,
  type Need,
  type Range,
  type Tensor,
  tensor,
  toFloats,
} from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { calibrate } from './calibrate.js';

const executor: Executor = createOnnxRuntime({ threads: 1 });
afterAll(() => executor.close());

const random = createRandom(1);
const normals = (...shape: number[]): Tensor<'float32'> =>
  floats(
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    shape,
  );

/** x -> Conv h -> Relu y -> flattened, Gemm z. */
const network = (opset = 17): Graph => {
  const b = buildGraph({ inputs: [], outputs: [], nodes: [], opsets: new Map([['', opset]]) });
  const h = b.add('Conv', [b.input('x', 'float32', ['n', 3, 6, 5]), b.constant('w', normals(4, 3, 3, 3))], {
    name: 'h',
  });
  const flat = b.add('Flatten', [b.add('Relu', [h], { name: 'y' })], { name: 'flat' });
  b.output(b.add('Gemm', [flat, b.constant('v', normals(48, 7))], { name: 'z' }));
  b.info('z', { dtype: 'float32', shape: ['n', 7] });
  return b.finish();
};
const graph = network();
const samples = normals(9, 3, 6, 5);

/** The samples in batches of these sizes. */
const batches = (sizes: readonly number[], all: Tensor<'float32'> = samples) =>
  async function* () {
    const row = all.data.length / all.shape[0]!;
    let at = 0;
    for (const size of sizes) {
      const data = all.data.subarray(at * row, (at + size) * row);
      yield new Map<string, Tensor>([['x', floats(data, [size, ...all.shape.slice(1)])]]);
      at += size;
    }
  };

const fetched = async (value: string): Promise<Tensor> => {
  const b = buildGraph({ ...graph, outputs: [] });
  if (graph.inputs.includes(value)) return samples;
  b.output(value);
  const session = await executor.open(b.finish());
  const found = await session.run(new Map([['x', samples]]));
  return found.get(value)!;
};

const channels = (source: Tensor, axis: number): readonly (readonly number[])[] => {
  const inner = source.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const count = source.shape[axis]!;
  const out: number[][] = Array.from({ length: count }, () => []);
  toFloats(source).forEach((x, i) => void out[Math.floor(i / inner) % count]!.push(x));
  return out;
};
const meanOf = (xs: readonly number[]) => xs.reduce((a, b) => a + b, 0) / xs.length;
const varianceOf = (xs: readonly number[]) => meanOf(xs.map((x) => (x - meanOf(xs)) ** 2));
const rangeOf = (source: Tensor): Range => {
  const values = [...toFloats(source)];
  return { min: Math.min(...values), max: Math.max(...values) };
};
const histogramOf = (source: Tensor, bins: number): Histogram => {
  const { min, max } = rangeOf(source);
  const scale = Math.fround(bins / (max - min));
  const counts = new Float64Array(bins);
  for (const x of toFloats(source))
    counts[Math.min(bins - 1, Math.floor(Math.fround(Math.fround(x - min) * scale)))]!++;
  return { min, max, counts };
};

const value = fc.constantFrom('x', 'h', 'y', 'z');
const splits = fc
  .array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 4 })
  .map((cuts) => [0, ...cuts.sort((a, b) => a - b), 9])
  .map((cuts) => cuts.slice(1).map((cut, i) => cut - cuts[i]!));

describe('calibrate', () => {
  it('finds ranges and exact histograms, however the data is cut into batches', async () => {
    await fc.assert(
      fc.asyncProperty(value, fc.integer({ min: 1, max: 3000 }), splits, async (name, bins, sizes) => {
        const needs: Need[] = [
          { statistic: 'histogram', value: name, bins },
          { statistic: 'range', value: name },
        ];
        const evidence = await calibrate(graph, needs, { executor, batches: batches(sizes) });
        const all = await fetched(name);
        expect(evidence.samples).toBe(9);
        expect(evidence.find({ statistic: 'range', value: name })).toEqual(rangeOf(all));
        expect(evidence.find({ statistic: 'histogram', value: name, bins })).toEqual(histogramOf(all, bins));
      }),
      { numRuns: 25, seed: 1 },
    );
  });

  it('finds ranges and moments per channel, however the data is cut into batches', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('x', 'h', 'y'),
        fc.integer({ min: -3, max: 3 }),
        splits,
        async (name, axis, sizes) => {
          const needs: Need[] = [
            { statistic: 'channelRange', value: name, axis },
            { statistic: 'moments', value: name, axis },
          ];
          // The batch axis has as many indices as the batch has samples: only one batch makes sense there.
          const evidence = await calibrate(graph, needs, { executor, batches: batches(axis === 0 ? [9] : sizes) });
          const lists = channels(await fetched(name), axis < 0 ? axis + 4 : axis);
          expect(evidence.find({ statistic: 'channelRange', value: name, axis })).toEqual({
            min: Float32Array.from(lists, (xs) => Math.min(...xs)),
            max: Float32Array.from(lists, (xs) => Math.max(...xs)),
          });
          const moments = evidence.find({ statistic: 'moments', value: name, axis })!;
          lists.forEach((xs, c) => {
            expect(moments.mean[c]).toBeCloseTo(meanOf(xs), 5);
            expect(moments.variance[c]! / varianceOf(xs)).toBeCloseTo(1, 5);
          });
        },
      ),
      { numRuns: 25, seed: 2 },
    );
  });

  it('keeps the variance of values that are large beside it', async () => {
    const far = floats(
      samples.data.map((x) => 10000 + x / 100),
      samples.shape,
    );
    const need = { statistic: 'moments', value: 'x', axis: 1 } as const;
    const evidence = await calibrate(graph, [need], { executor, batches: batches([4, 4, 1], far) });
    channels(far, 1).forEach((xs, c) => {
      expect(evidence.find(need)!.mean[c]! / meanOf(xs)).toBeCloseTo(1, 9);
      expect(evidence.find(need)!.variance[c]! / varianceOf(xs)).toBeCloseTo(1, 4);
    });
  });

  it('finds moments of values that take several slices', async () => {
    const b = buildGraph();
    b.output(b.add('Relu', [b.input('x', 'float32', ['n', 2])], { name: 'y' }));
    const x = normals(100_000, 2); // slices hold 32768 rows
    const need = { statistic: 'moments', value: 'x', axis: -1 } as const;
    const evidence = await calibrate(b.finish(), [need], { executor, batches: batches([70_000, 30_000], x) });
    channels(x, 1).forEach((xs, c) => {
      const mean = meanOf(xs);
      expect(evidence.find(need)!.mean[c]).toBeCloseTo(mean, 6);
      expect(evidence.find(need)!.variance[c]).toBeCloseTo(meanOf(xs.map((each) => (each - mean) ** 2)), 5);
    });
  });

  it('counts more elements in one bin than a float32 could', async () => {
    const b = buildGraph();
    const x = b.input('x', 'float32', ['n']);
    const many = b.add('Expand', [x, b.constant('size', tensor('int64', [2], BigInt64Array.of(5000n, 1n)))], {
      name: 'y',
    });
    b.output(many);
    const data = async function* () {
      yield new Map([['x', floats(new Float32Array(4000).fill(0.5).fill(-1, 0, 1).fill(1, 1, 2))]]);
    };
    const need = { statistic: 'histogram', value: 'y', bins: 4 } as const;
    const evidence = await calibrate(b.finish(), [need], { executor, batches: data });
    expect(evidence.find(need)).toEqual({ min: -1, max: 1, counts: Float64Array.of(5000, 0, 0, 5000 + 3998 * 5000) });
  });

  it.each([
    [0, 0, [9 * 90, 0, 0]],
    [-3e38, 3e38, [45 * 9, 0, 45 * 9]],
    [0, 1e-44, [45 * 9, 0, 45 * 9]],
  ])('counts values of only %f and %f', async (low, high, counts) => {
    const two = floats(
      samples.data.map((_, i) => (i % 2 ? high : low)),
      samples.shape,
    );
    const need = { statistic: 'histogram', value: 'x', bins: 3 } as const;
    const evidence = await calibrate(graph, [need], { executor, batches: batches([5, 4], two) });
    const found = evidence.find(need)!;
    expect(found.counts.reduce((a, b) => a + b)).toBe(810);
    if (high !== 1e-44) expect([...found.counts]).toEqual(counts);
  });

  it.each(['float16', 'float64', 'int32', 'uint8', 'bool'] as const)(
    'reads values of type %s',
    async (dtype: DType) => {
      const b = buildGraph();
      b.output(b.add('Identity', [b.input('x', dtype, ['n', 2])], { name: 'y' }));
      b.info('y', { dtype, shape: ['n', 2] });
      const data = async function* () {
        yield new Map([['x', fromNumbers(dtype, [2, 2], [1, 0, 0, 1])]]);
      };
      const needs: Need[] = [
        { statistic: 'range', value: 'y' },
        { statistic: 'histogram', value: 'y', bins: 2 },
        { statistic: 'moments', value: 'y', axis: 1 },
      ];
      const evidence = await calibrate(b.finish(), needs, { executor, batches: data });
      expect(needs.map((need) => evidence.find(need))).toEqual([
        { min: 0, max: 1 },
        { min: 0, max: 1, counts: Float64Array.of(2, 2) },
        { mean: Float64Array.of(0.5, 0.5), variance: Float64Array.of(0.25, 0.25) },
      ]);
    },
  );

  it('answers for constants without running anything', async () => {
    const needs: Need[] = [
      { statistic: 'range', value: 'v' },
      { statistic: 'histogram', value: 'v', bins: 16 },
      { statistic: 'channelRange', value: 'v', axis: 1 },
      { statistic: 'moments', value: 'v', axis: -1 },
    ];
    const never = (): never => {
      throw new Error('not to be called');
    };
    const evidence = await calibrate(graph, needs, { executor: { ...executor, open: never }, batches: never });
    const weights = graph.constants.get('v')!;
    const lists = channels(weights, 1);
    expect(evidence.find({ statistic: 'range', value: 'v' })).toEqual(rangeOf(weights));
    expect(evidence.find({ statistic: 'histogram', value: 'v', bins: 16 })).toEqual(histogramOf(weights, 16));
    expect(evidence.find({ statistic: 'channelRange', value: 'v', axis: 1 })?.max).toEqual(
      Float32Array.from(lists, (xs) => Math.max(...xs)),
    );
    const moments = evidence.find({ statistic: 'moments', value: 'v', axis: -1 })!;
    lists.forEach((xs, c) => {
      expect(moments.variance[c]).toBeCloseTo(varianceOf(xs), 9);
    });
  });

  it.each([9, 12, 13, 21])('works on graphs of opset %i', async (opset) => {
    const needs: Need[] = [
      { statistic: 'histogram', value: 'h', bins: 8 },
      { statistic: 'channelRange', value: 'h', axis: 1 },
      { statistic: 'moments', value: 'h', axis: 1 },
      { statistic: 'gram', node: 'z/Gemm' },
    ];
    const older: Graph = { ...graph, opsets: new Map([['', opset]]) };
    const [found, wanted] = [
      await calibrate(older, needs, { executor, batches: batches([9]) }),
      await calibrate(graph, needs, { executor, batches: batches([9]) }),
    ];
    for (const need of needs) expect(found.find(need)).toEqual(wanted.find(need));
  });

  it('runs the data once, and twice for histograms', async () => {
    let started = 0;
    const counted = () => {
      started++;
      return batches([9])();
    };
    const range: Need = { statistic: 'range', value: 'h' };
    await calibrate(graph, [range, range, { statistic: 'gram', node: 'z/Gemm' }], { executor, batches: counted });
    expect(started).toBe(1);
    await calibrate(graph, [{ statistic: 'histogram', value: 'h', bins: 4 }], { executor, batches: counted });
    expect(started).toBe(3);
    expect((await calibrate(graph, [], { executor, batches: counted })).samples).toBe(0);
    expect(started).toBe(3);
  });

  it('tells how far it is', async () => {
    const told: [number, string][] = [];
    await calibrate(graph, [{ statistic: 'histogram', value: 'h', bins: 4 }], {
      executor,
      batches: batches([6, 3]),
      total: 9,
      progress: (done, message) => void told.push([done, message]),
    });
    expect(told).toEqual([
      [1 / 3, 'calibrated 6 samples (pass 1 of 2)'],
      [1 / 2, 'calibrated 9 samples (pass 1 of 2)'],
      [(1 + 6 / 9) / 2, 'calibrated 6 samples (pass 2 of 2)'],
      [1, 'calibrated 9 samples (pass 2 of 2)'],
    ]);
  });

  it('says the same on onnxruntime-web', async () => {
    const web = createOnnxRuntime({ backend: 'web', threads: 1 });
    const needs: Need[] = [
      { statistic: 'range', value: 'x' },
      { statistic: 'histogram', value: 'x', bins: 100 },
      { statistic: 'channelRange', value: 'x', axis: -1 },
    ];
    const [native, wasm] = [
      await calibrate(graph, needs, { executor, batches: batches([4, 5]) }),
      await calibrate(graph, needs, { executor: web, batches: batches([9]) }),
    ];
    for (const need of needs) expect(wasm.find(need)).toEqual(native.find(need));
    await web.close();
  });

  it('puts what condenses the earliest values last, so that the runtime runs it first', async () => {
    let seen: Graph | undefined;
    const watched: Executor = {
      ...executor,
      open(observed) {
        seen = observed;
        return executor.open(observed);
      },
    };
    const needs = ['z', 'x', 'y', 'h'].map((name): Need => ({ statistic: 'range', value: name }));
    await calibrate(graph, needs, { executor: watched, batches: batches([9]) });
    const order = seen!.nodes.filter((node) => node.op === 'ReduceMin').map((node) => node.inputs[0]);
    expect(order).toEqual(['z', 'y', 'h', 'x']);
    expect(seen!.outputs).toHaveLength(12);
  });

  it('runs no further than the last value that is asked for', async () => {
    let ops: readonly string[] = [];
    const watched: Executor = {
      ...executor,
      open(observed) {
        ops = observed.nodes.map((node) => node.op);
        return executor.open(observed);
      },
    };
    await calibrate(graph, [{ statistic: 'range', value: 'h' }], { executor: watched, batches: batches([9]) });
    expect(ops).toEqual(['Conv', 'ReduceMin', 'ReduceMax', 'ReduceL1']);
  });

  it('collects what others define', async () => {
    const largest: Collector<'range'> = {
      values: ({ value: name }) => [name],
      probe({ value: name }, statistics) {
        let max = 0;
        return {
          fetch: [statistics.reduce('ReduceMax', statistics.builder.add('Abs', [name]))],
          add([found]) {
            max = Math.max(max, toFloats(found!)[0]!);
          },
          answer: () => ({ min: -max, max }),
        };
      },
    };
    const need = { statistic: 'range', value: 'h' } as const;
    const run = { executor, batches: batches([9]), collectors: { range: largest } };
    const { min, max } = rangeOf(await fetched('h'));
    const reach = Math.max(-min, max);
    expect((await calibrate(graph, [need], run)).find(need)).toEqual({ min: -reach, max: reach });
  });
});

describe('calibrate refuses', () => {
  const failure = async (needs: readonly Need[], data = batches([9])): Promise<EspalierError> => {
    const found: unknown = await calibrate(graph, needs, { executor, batches: data }).catch((cause: unknown) => cause);
    if (found instanceof EspalierError) return found;
    throw new Error('expected an EspalierError');
  };

  it.each<[string, unknown, string]>([
    ['unknown values', { statistic: 'range', value: 'hh' }, 'Did you mean "h"?'],
    ['unknown statistics', { statistic: 'ranges', value: 'h' }, 'Did you mean "range"?'],
    ['axes beyond the rank', { statistic: 'moments', value: 'h', axis: 4 }, 'an axis of a value with 4 axes, found 4'],
    ['broken numbers of bins', { statistic: 'histogram', value: 'h', bins: 0 }, 'a whole number of bins'],
    ['grams of other ops', { statistic: 'gram', node: 'y/Relu' }, 'found a node of op Relu'],
    ['grams of unknown nodes', { statistic: 'gram', node: 'q' }, 'found no such node'],
    ['groups beyond the last', { statistic: 'gram', node: 'h/Conv', group: 1 }, 'no group, or group 0, found 1'],
  ])('%s', async (_what, need, message) => {
    const error = await failure([need as Need]);
    expect(error.code).toBe('CALIBRATION_NEED');
    expect(error.message).toContain(message);
  });

  it.each<[Need, string]>([
    [{ statistic: 'range', value: 'h' }, 'value "h" of node "h/Conv" (Conv)'],
    [{ statistic: 'channelRange', value: 'h', axis: 1 }, 'value "h" of node "h/Conv" (Conv)'],
    [{ statistic: 'moments', value: 'h', axis: 1 }, 'value "h" of node "h/Conv" (Conv)'],
    [{ statistic: 'histogram', value: 'x', bins: 4 }, 'value "x" (a graph input)'],
    [{ statistic: 'gram', node: 'h/Conv' }, 'value "x" (a graph input)'],
  ])('NaN and infinity, naming the value: %o', async (need, where) => {
    for (const [at, bad] of [
      [0, Number.NaN],
      [517, Number.NaN],
      [809, Number.POSITIVE_INFINITY],
      [400, Number.NEGATIVE_INFINITY],
    ] as const) {
      const broken = floats(
        samples.data.map((x, i) => (i === at ? bad : x)),
        samples.shape,
      );
      // A range may be infinite, as masks of attention are; a convolution of infinities makes NaN.
      const isRange = ['range', 'histogram'].includes(need.statistic) && !Number.isNaN(bad);
      if (isRange) continue;
      const error = await failure([need], batches([3, 3, 3], broken));
      expect(error.code).toBe('CALIBRATION_NOT_FINITE');
      expect(error.message).toContain(where);
    }
  });

  it('no infinities: they are the ends of a range, and a histogram without end counts nothing', async () => {
    const masked = floats(
      samples.data.map((x, i) => (i === 400 ? Number.NEGATIVE_INFINITY : x)),
      samples.shape,
    );
    const needs = [
      { statistic: 'range', value: 'x' },
      { statistic: 'histogram', value: 'x', bins: 4 },
    ] as const;
    const evidence = await calibrate(graph, needs, { executor, batches: batches([3, 3, 3], masked) });
    expect(evidence.find(needs[0])?.min).toBe(Number.NEGATIVE_INFINITY);
    expect(evidence.find(needs[1])).toMatchObject({ min: Number.NEGATIVE_INFINITY, counts: new Float64Array(4) });
  });

  it('constants that are not finite', async () => {
    const constants = new Map([...graph.constants, ['v', floats([1, Number.NaN])] as const]);
    const promise = calibrate({ ...graph, constants }, [{ statistic: 'range', value: 'v' }], {
      executor,
      batches: batches([9]),
    });
    await expect(promise).rejects.toMatchObject({ code: 'CALIBRATION_NOT_FINITE' });
  });

  it('no data, and data that changes between passes', async () => {
    expect((await failure([{ statistic: 'range', value: 'h' }], batches([]))).code).toBe('CALIBRATION_NO_DATA');
    expect((await failure([{ statistic: 'range', value: 'h' }], batches([0]))).code).toBe('CALIBRATION_NO_DATA');
    let pass = 0;
    const fewer = () => batches([pass++ === 0 ? 9 : 5])();
    const error = await failure([{ statistic: 'histogram', value: 'h', bins: 4 }], fewer);
    expect(error.code).toBe('CALIBRATION_DATA_CHANGED');
  });

  it.each(['moments', 'channelRange'] as const)('%s over an axis whose size changes', async (statistic) => {
    const error = await failure([{ statistic, value: 'h', axis: 0 }], batches([5, 4]));
    expect(error.code).toBe('CALIBRATION_NEED');
    expect(error.message).toContain('found 5 entries, then 4');
  });

  it('feeds that do not fit, with the words of the executor', async () => {
    const wrong = async function* () {
      yield new Map([['X', samples as Tensor]]);
    };
    expect((await failure([{ statistic: 'range', value: 'h' }], wrong)).code).toBe('EXECUTOR_INPUT');
  });
});
