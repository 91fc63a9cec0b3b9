import { errorHistogram, examineLayers, layerTargets, theoryCurves } from '@espalier/bounds';
import {
  buildGraph,
  createRandom,
  evidenceOf,
  floats,
  type Graph,
  int,
  ints,
  type Need,
  needKey,
} from '@espalier/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { analyzeGraph } from './analyze-graph.js';
import { analyzeHtml } from './analyze-html.js';
import type { AnalyzeReport } from './analyze-report.js';
import { niceTicks } from './plot-frame.js';

const attack = '"><script>alert(1)</script><img src=x onerror=alert(2)>\u202e';
const random = createRandom(6);
const normals = (shape: readonly number[]) =>
  floats(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    shape,
  );

function network(): Graph {
  const b = buildGraph();
  const x = b.input('x', 'float32', ['batch', 4, 6, 6]);
  const grouped = b.add('Conv', [x, b.constant('depthwise', normals([4, 1, 3, 3]))], {
    name: 'grouped',
    attributes: { group: int(4), kernel_shape: ints([3, 3]) },
  });
  const conv = b.add('Conv', [grouped, b.constant(attack, normals([5, 4, 1, 1]))], { name: `${attack}y` });
  const flat = b.add('Flatten', [conv], { name: 'flat' });
  const hidden = b.add('MatMul', [flat, b.constant('w', normals([80, 7]))], { name: 'hidden' });
  b.output(b.add('Gemm', [hidden, b.constant('v', normals([3, 7]))], { name: 'out', attributes: { transB: int(1) } }));
  return b.finish();
}

/** XᵀX of random rows, for every need. */
function collect(needs: readonly Need[], sizes: ReadonlyMap<string, number>) {
  const answers = needs.map((need) => {
    const size = sizes.get('node' in need ? need.node : '')!;
    const sum = new Float64Array(size * size);
    for (let row = 0; row < 3 * size; row++) {
      const x = Array.from({ length: size }, () => random.normal());
      for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) sum[i * size + j]! += x[i]! * x[j]!;
    }
    return [needKey(need), { sum, size, rows: 3 * size }] as const;
  });
  return evidenceOf(new Map(answers), 9);
}

let report: AnalyzeReport;
beforeAll(async () => {
  const graph = network();
  const sizes = new Map(layerTargets(graph).map(({ node, size }) => [node, size]));
  const layers = await examineLayers(graph, {
    bits: [2, 4],
    bounds: true,
    samples: 2,
    nodes: 200,
    collect: async (needs) => collect(needs, sizes),
  });
  report = {
    espalierAnalysis: 1,
    input: { path: `models/${attack}.onnx`, format: attack, bytes: 4096 },
    ...(await analyzeGraph(graph, { bits: [2, 4] })),
    skipped: [{ weight: attack, reason: attack }],
    layers: { ...layers, data: attack },
    drift: {
      layers: [
        { value: 'y', node: attack, op: attack, snrDb: 20, cka: 0.99 },
        { value: 'z', node: 'z', op: 'Conv', snrDb: null, cka: null },
      ],
      skipped: [],
      samples: 8,
      against: { path: attack, format: 'onnx', bytes: 1 },
      data: attack,
    },
    warnings: [attack],
    versions: { [attack]: attack },
    seed: 0,
    seconds: 1.5,
  };
}, 60_000);

describe('the analysis of a model', () => {
  test('judges its weights, counts its costs and shows errors of the largest', () => {
    expect(report.weights.map(({ weight }) => weight)).toEqual(['depthwise', attack, 'w', 'v']);
    expect(report.costs.parameters).toBe(36 + 20 + 560 + 21);
    expect(report.energy!.totalUj).toBeGreaterThan(0);
    expect(report.errors[0]!.weight).toBe('w');
    expect(report.errors[0]!.histogram.bits).toBe(4);
    expect(report.summary.map(({ bits }) => bits)).toEqual([2, 4]);
  });

  test('is plain JSON, which reads back the same', () => {
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });
});

describe('layers under heuristics and bounds', () => {
  test('are convolutions, by their strongest group, and matrix products', () => {
    const found = report.layers!.layers.map(({ node, groups, rows, size }) => ({ node, groups, rows, size }));
    expect(found).toEqual([
      { node: 'grouped/Conv', groups: 4, rows: 1, size: 9 },
      { node: `${attack}y/Conv`, groups: 1, rows: 5, size: 4 },
      { node: 'hidden/MatMul', groups: 1, rows: 7, size: 80 },
      { node: 'out/Gemm', groups: 1, rows: 3, size: 7 },
    ]);
  });

  test('never do better than their bound', () => {
    for (const { bits } of report.layers!.layers) {
      for (const { quantization, pruning } of bits) {
        for (const { heuristicDb, boundDb } of [quantization, pruning]) {
          expect(boundDb!).toBeGreaterThanOrEqual(heuristicDb - 1e-6);
        }
      }
    }
  });

  test('are collected in as many passes as memory asks for, and left out where they do not fit', async () => {
    const graph = network();
    const sizes = new Map(layerTargets(graph).map(({ node, size }) => [node, size]));
    const passes: number[] = [];
    const { layers, skipped } = await examineLayers(graph, {
      bits: [4],
      samples: 1,
      gramBytes: 9 * 9 * 8 + 4 * 4 * 8, // the two convolutions, then the last layer; 80 inputs are too many
      collect: async (needs) => {
        passes.push(needs.length);
        return collect(needs, sizes);
      },
    });
    expect(passes).toEqual([2, 1]);
    expect(layers.map(({ op }) => op)).toEqual(['Conv', 'Conv', 'Gemm']);
    expect(skipped).toMatchObject([{ node: 'hidden/MatMul' }]);
  });

  test('are left out where nothing was collected', async () => {
    const { layers, skipped } = await examineLayers(network(), {
      choose: ({ op }) => op === 'Gemm',
      collect: async () => evidenceOf(new Map(), 3),
    });
    expect(layers).toEqual([]);
    expect(skipped).toEqual([{ node: 'out/Gemm', reason: 'its inputs could not be followed' }]);
  });
});

describe('the theory for tensors of a kurtosis', () => {
  test('has the known crossovers of cut-off Student-t weights', () => {
    const known = [8.87, 15.99, 28.35, 51.77];
    theoryCurves([2, 3, 4, 5]).forEach(({ crossover, points }, i) => {
      expect(Math.abs(crossover! / known[i]! - 1)).toBeLessThan(0.02);
      const margins = points.map(({ marginDb }) => marginDb);
      expect(margins.slice(2)).toEqual(margins.slice(2).sort((a, b) => b - a));
    });
  });
});

describe('an error histogram', () => {
  test('counts every weight under both methods', () => {
    const histogram = errorHistogram(normals([1000]).data, { bits: 4 })!;
    for (const counts of [histogram.quantization, histogram.pruning]) {
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(1000);
    }
    expect(histogram.pruning[30]).toBeGreaterThanOrEqual(250); // the quarter that is left alone
    expect(histogram.quantizationDb).toBeGreaterThan(histogram.pruningDb);
    expect(histogram.min).toBe(-histogram.max);
  });

  test('of nothing, zeros or infinities is none', () => {
    for (const values of [[], [0, 0], [1, Number.POSITIVE_INFINITY]]) {
      expect(errorHistogram(new Float32Array(values), { bits: 4 })).toBeNull();
    }
  });
});

describe('ticks of an axis', () => {
  test('are round and within it', () => {
    expect(niceTicks(0, 40)).toEqual([0, 10, 20, 30, 40]);
    expect(niceTicks(-5, 7)).toEqual([-5, 0, 5]);
    expect(niceTicks(3, 3)).toEqual([3]);
  });
});

describe('the page of an analysis', () => {
  let page = '';
  beforeAll(() => {
    page = analyzeHtml(report);
  });

  test('holds no element, attribute or direction mark out of the model', () => {
    expect(page).not.toMatch(/<script|<img|\u202e/);
    expect(page.match(/&lt;script&gt;alert\(1\)/g)!.length).toBeGreaterThan(10);
    const tags = new Set([...page.matchAll(/<([a-z0-9]+)/gi)].map(([, tag]) => tag));
    const ours =
      'html head meta title style body main header h1 h2 p br div b span section table thead tbody tr th td ul li i code figure figcaption svg path rect line polyline polygon circle text details summary footer doctype';
    for (const tag of tags) expect(ours.split(' ')).toContain(tag);
  });

  test('asks for nothing, and forbids it', () => {
    const tags = page
      .replaceAll(/"[^"]*"/g, '')
      .match(/<[^>]*>/g)!
      .join('');
    expect(tags).not.toMatch(/\s(src|href|on\w+)=/);
    expect(page).toContain('default-src &#39;none&#39;');
  });

  test('is well formed, with finite numbers', () => {
    const open: string[] = [];
    const empty = new Set(['meta', 'path', 'rect', 'line', 'br', 'polyline', 'polygon']);
    for (const [tag, slash, name] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)(?:[^<>"]|"[^"]*")*>/g)) {
      if (slash) expect(open.pop()).toBe(name);
      else if (!tag.endsWith('/>') && !empty.has(name!)) open.push(name!);
    }
    expect(open).toEqual([]);
    expect(page).not.toMatch(/NaN|Infinity|undefined|\[object/);
  });

  test('shows every figure: histograms, compression, kurtosis, ranges, drift', () => {
    for (const title of ['Errors of weights', 'Error against compression', 'Where pruning wins']) {
      expect(page).toContain(title);
    }
    expect(page).toContain('What is certain about each layer');
    expect(page).toContain('Drift against');
    expect(page).toContain('group '); // of a grouped convolution
    expect(page).toContain('not a measurement');
  });

  test('does without what was not asked for, and without any weight', async () => {
    const empty = await analyzeGraph(buildGraph().finish(), { bits: [4] });
    const bare = analyzeHtml({ ...report, ...empty, layers: null, drift: null, warnings: [] });
    expect(bare).not.toContain('What is certain');
    expect(bare).not.toContain('Drift against');
    expect(bare).not.toMatch(/NaN|Infinity|undefined/);
  });
});
