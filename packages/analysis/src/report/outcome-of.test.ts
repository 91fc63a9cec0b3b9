import { describe, expect, it } from 'vitest';
import type { CompressReport, ReportLayer } from './compress-report.js';
import { outcomeOf } from './outcome-of.js';

const summary = { parameters: 100, nonZero: 100, weightBytes: 400, macs: 1, bops: 1, peakActivationBytes: 1 };
const output = { name: 'y', snrDb: 40, agreement: null, nonFinite: 0 };

function layer(before: number, after: number): ReportLayer {
  const side = (weightBits: number) => ({
    node: 'a',
    op: 'Conv',
    weight: 'w',
    weightShape: [1],
    parameters: 1,
    nonZero: 1,
    bytes: 1,
    macs: 1,
    bops: 1,
    weightBits,
    activationBits: 32,
  });
  const common = { node: 'a', op: 'Conv', value: 'y', snrDb: null, weightSnrDb: null, histogram: null };
  return { ...common, before: side(before), after: side(after) };
}

// Only what the line reads; the rest of a report is elsewhere.
function report(parts: object): CompressReport {
  const whole: object = {
    input: { path: 'a.onnx', format: 'onnx', bytes: 4096 },
    output: { path: 'b.onnx', format: 'onnx', bytes: 1024 },
    steps: [{ step: 'quantize', use: 'static', seconds: 1, notes: [] }],
    costs: { before: summary, after: summary },
    layers: [layer(32, 8), layer(32, 32)],
    comparison: { outputs: [output] },
    fed: { data: 'random', role: 'made', inputs: [] },
    metrics: { before: null, after: null },
    latency: null,
    ...parts,
  };
  return whole as CompressReport; // the fields above are all that is read
}

describe('the first line of a report', () => {
  it('counts the layers that were quantized', () => {
    expect(outcomeOf(report({}))).toBe('1 of 2 layers quantized to 8 bits. 1.00 KiB after 4.00 KiB.');
  });

  it('says that nothing was quantized, with the most frequent reason', () => {
    const notes = ['no weights', 'too small', 'too small'].map((reason) => ({ outcome: 'float', reason }));
    const steps = [{ step: 'quantize', use: 'weights', seconds: 1, notes }];
    expect(outcomeOf(report({ steps, layers: [layer(32, 32)], output: { bytes: 4090 } }))).toBe(
      'Nothing could be quantized: too small. The size hardly changed.',
    );
  });

  it('begins with what makes the result useless', () => {
    const far = { comparison: { outputs: [{ ...output, snrDb: 3.2 }] }, output: { bytes: 8192 } };
    expect(outcomeOf(report(far))).toMatch(
      /^Output "y" is far from the original: 3.2 dB. The file became larger: 8.00 KiB after 4.00 KiB. 1 of 2/,
    );
    const metrics = { before: { top1: 0.9, loss: 1 }, after: { top1: 0.5, loss: 2 } };
    expect(outcomeOf(report({ metrics }))).toMatch(/^Accuracy fell by 40.0 points\./);
    expect(outcomeOf(report({ comparison: null, fed: { data: null, reason: 'No sizes fit.' } }))).toMatch(
      /^The file was written, but not run: No sizes fit\./,
    );
  });

  it('says how much pruning took away, and how much faster the result is', () => {
    const steps = [{ step: 'prune', use: 'magnitude', seconds: 1, notes: [] }];
    const costs = { before: summary, after: { ...summary, parameters: 60, nonZero: 60 } };
    expect(outcomeOf(report({ steps, costs, latency: { ratio: 0.5 } }))).toBe(
      '40.00 % of the parameters removed. 1.00 KiB after 4.00 KiB, 2.00 times as fast.',
    );
    expect(outcomeOf(report({ steps: [{ step: 'pass', use: 'simplify', seconds: 1, notes: [] }] }))).toMatch(
      /^Rewritten without loss\./,
    );
  });
});
