import { buildGraph, floats, fromNumbers, type Graph, int } from '@espalier/core';
import { describe, expect, test } from 'vitest';
import { costsOf } from '../costs/costs-of.js';
import { coverageOf } from '../inspection/coverage-of.js';
import { type CompressReport, costSummary } from './compress-report.js';
import { reportHtml } from './report-html.js';
import { reportLayers } from './report-layers.js';

const attack = '"><script>alert(1)</script><img src=x onerror=alert(2)>\u202e';
const values = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i));

function original(): Graph {
  const b = buildGraph();
  const x = b.input('x', 'float32', ['batch', 4]);
  b.output(b.add('MatMul', [x, b.constant(attack, floats(values, [4, 3]))], { name: `${attack}y` }));
  return b.finish();
}

function quantized(): Graph {
  const b = buildGraph();
  const x = b.input('x', 'float32', ['batch', 4]);
  const codes = b.constant(
    `${attack}_quantized`,
    fromNumbers(
      'int8',
      [4, 3],
      values.map((v) => Math.round(v * 127)),
    ),
  );
  const scale = b.constant(`${attack}_scale`, floats([1 / 127], []));
  const w = b.add('DequantizeLinear', [codes, scale], { name: `${attack}_dequantized`, attributes: { axis: int(1) } });
  b.output(b.add('MatMul', [x, w], { name: `${attack}y` }));
  return b.finish();
}

const error = {
  snrDb: 41.5,
  maxAbs: 0.25,
  rmse: 0.1,
  cosine: 1,
  nonFinite: 0,
  undefinedBoth: 0,
  count: 4,
  agreement: null,
};
const latency = { medianMs: 2, p10Ms: 1, p90Ms: 3, runs: 9 };
const pair = { a: latency, b: { ...latency, medianMs: 1 }, aMs: 2, bMs: 1, ratio: 0.5 };

const report: CompressReport = {
  widths: null,
  espalierReport: 1,
  input: { path: `in/${attack}.onnx`, format: 'onnx', bytes: 4096 },
  output: { path: 'out/small.onnx', format: attack, bytes: 1024, sha256: 'ab'.repeat(32) },
  steps: [
    {
      step: attack,
      use: attack,
      seconds: 1.5,
      notes: [{ node: attack, op: attack, outcome: 'float', reason: attack }],
    },
  ],
  costs: { before: costSummary(costsOf(original())), after: costSummary(costsOf(quantized())) },
  sizes: { before: { bytes: 48, gzipBytes: 60 }, after: { bytes: 16, gzipBytes: 30 } },
  layers: reportLayers(original(), quantized(), {
    errors: {
      layers: [{ value: `${attack}y`, node: `${attack}y/MatMul`, op: 'MatMul', ...error, count: 3, snrDb: 8 }],
      skipped: [],
      samples: 1,
    },
  }),
  fed: { data: 'images', role: 'evaluation', inputs: [] },
  comparison: {
    samples: 3,
    outputs: [{ name: attack, ...error, constant: false }],
    unmatched: [],
    top1Agreement: 0.9,
    top1: null,
    latency: pair,
    bytes: null,
  },
  metrics: { before: { top1: 0.9173, loss: 0.3, top5: 0.99 }, after: { top1: 0.91, loss: 0.31, top5: 0.98 } },
  latency: { ...pair, runtime: attack },
  coverage: coverageOf(quantized(), [{ node: attack, op: attack, outcome: 'float', reason: attack }]),
  warnings: [attack],
  recipe: { espalier: 1, steps: [attack] },
  versions: { [attack]: attack },
  seed: 7,
};

describe('the HTML report', () => {
  const page = reportHtml(report);

  test('holds no element, attribute or direction mark out of the model', () => {
    expect(page).not.toMatch(/<script|<img|\u202e/);
    expect(page.match(/&lt;script&gt;alert\(1\)/g)!.length).toBeGreaterThan(10);
    // Every tag that is there is one of ours.
    const tags = new Set([...page.matchAll(/<([a-z0-9]+)/gi)].map(([, tag]) => tag));
    const ours =
      'html head meta title style body main header h1 h2 p div b span section table thead tbody tr th td ul ol li i code figure figcaption svg path g rect line text details summary pre footer doctype';
    for (const tag of tags) expect(ours.split(' ')).toContain(tag);
  });

  test('asks for nothing: no link, no source, no script, and a policy that forbids them', () => {
    const tags = page
      .replaceAll(/"[^"]*"/g, '')
      .match(/<[^>]*>/g)!
      .join('');
    expect(tags).not.toMatch(/\s(src|href|on\w+)=/);
    expect(page).not.toMatch(/url\(|@import/);
    expect(page.includes('content="default-src &#39;none&#39;;')).toBe(true);
  });

  test('says what was gained and lost', () => {
    expect(page).toContain('4.00\u00d7 smaller');
    expect(page).toContain('2.00\u00d7 faster');
    expect(page).toContain('\u22120.73 points');
    expect(page).toContain('41.5 dB');
    expect(page).toContain('90.00 %');
    expect(page).toContain('fill bad'); // the layer below 10 dB
  });

  test('is well formed: every element that opens closes', () => {
    const open: string[] = [];
    const empty = new Set(['meta', 'path', 'rect', 'line']);
    for (const [tag, slash, name] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)(?:[^<>"]|"[^"]*")*>/g)) {
      if (slash) expect(open.pop()).toBe(name);
      else if (!tag.endsWith('/>') && !empty.has(name!)) open.push(name!);
    }
    expect(open).toEqual([]);
  });

  test('does without what was not measured', () => {
    const bare = reportHtml({
      ...report,
      sizes: null,
      comparison: null,
      latency: null,
      coverage: null,
      warnings: [],
      layers: [],
      metrics: { before: null, after: null },
    });
    expect(bare).toContain('Latency was not measured');
    expect(bare).not.toContain('Error by layer');
  });

  test('is plain JSON underneath, which reads back the same', () => {
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });
});

describe('the layers of a report', () => {
  test('join costs, errors and histograms of the same layer in both graphs', () => {
    const [layer] = report.layers;
    expect(report.layers).toHaveLength(1);
    expect(layer).toMatchObject({
      op: 'MatMul',
      snrDb: 8,
      before: { parameters: 12, weightBits: 32 },
      after: { parameters: 12, weightBits: 8 },
    });
    expect(layer?.weightSnrDb).toBeGreaterThan(40);
    expect(layer?.histogram?.before.reduce((a, b) => a + b)).toBe(12);
    expect(layer?.histogram?.after.reduce((a, b) => a + b)).toBe(12);
  });

  test('a layer that is gone has no costs after', () => {
    const b = buildGraph();
    b.output(b.add('Relu', [b.input('x', 'float32', ['batch', 4])], { name: 'other' }));
    expect(reportLayers(original(), b.finish())).toMatchObject([{ after: null, snrDb: null, weightSnrDb: null }]);
  });
});
