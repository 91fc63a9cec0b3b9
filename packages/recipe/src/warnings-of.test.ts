import type { ClassifierMetrics, OutputDifference } from '@espalier/analysis';
import { describe, expect, it } from 'vitest';
import { warningsOf } from './warnings-of.js';

const accuracy = (top1: number): ClassifierMetrics => ({ top1, loss: 1 });
const step = (name: string) => ({ step: name, use: name, seconds: 1, notes: [] });
const findings = (steps: readonly string[], after: number) => ({
  comparison: null,
  fed: { data: null, role: 'none' as const, inputs: [] },
  metrics: { before: accuracy(0.9), after: accuracy(after) },
  latency: null,
  sizes: null,
  input: { path: 'a.onnx', format: 'onnx', bytes: 100 },
  output: { path: 'b.onnx', format: 'onnx', bytes: 50 },
  steps: steps.map(step),
});
const told = (steps: readonly string[], after: number) =>
  warningsOf(findings(steps, after), { notes: [], errors: true }).join(' ');

describe('the warnings of a run', () => {
  it('say what accuracy was lost, and that pruning without training is why', () => {
    expect(told(['prune', 'pass'], 0.5)).toMatch(/fell by 40.00 points\. Nothing was trained since the last pruning/);
    expect(told(['prune', 'train', 'prune'], 0.5)).toMatch(/Nothing was trained/);
  });

  const compared = (output: Partial<OutputDifference>) => {
    const same = { name: 'y', snrDb: 300, maxAbs: 0, rmse: 0, cosine: 1, nonFinite: 0, undefinedBoth: 0, count: 4 };
    const comparison = {
      samples: 2,
      outputs: [{ ...same, agreement: null, constant: false, ...output }],
      unmatched: [],
      top1Agreement: null,
      top1: null,
      latency: null,
      bytes: null,
    };
    return warningsOf({ ...findings(['quantize'], 0.9), comparison }, { notes: [], errors: true }).join(' ');
  };

  it('say that nothing was compared where both models compute NaN', () => {
    const warnings = compared({ snrDb: -300, undefinedBoth: 4, constant: true });
    expect(warnings).toMatch(/"y" of both models holds no finite number in all of its values/);
    expect(warnings).not.toMatch(/every sample/);
  });

  it('say that little was compared where the output does not depend on the input', () => {
    expect(compared({ constant: true })).toMatch(/"y" of the original is the same for every sample/);
    expect(compared({})).not.toMatch(/says little/);
  });

  it('say that a model draws random numbers, or was run in float32', () => {
    const warned = (circumstances: { random?: boolean; single?: boolean }) =>
      warningsOf(findings([], 0.9), { notes: [], errors: true, ...circumstances }).join(' ');
    expect(warned({ random: true })).toMatch(/draws random numbers/);
    expect(warned({ single: true })).toMatch(/no kernels for the type/);
    expect(warned({})).not.toMatch(/random numbers|no kernels/);
  });

  it('do not call microseconds slower', () => {
    const side = { medianMs: 0, p10Ms: 0, p90Ms: 0, runs: 5 };
    const latency = (aMs: number, bMs: number) => ({ a: side, b: side, aMs, bMs, ratio: bMs / aMs, runtime: 'r' });
    const warned = (aMs: number, bMs: number) =>
      warningsOf({ ...findings([], 0.9), latency: latency(aMs, bMs) }, { notes: [], errors: true }).join(' ');
    expect(warned(0.02, 0.03)).not.toMatch(/slower/);
    expect(warned(2, 3)).toMatch(/1.50 times/);
  });

  it('do not ask for training where there was some, nothing was pruned, or nothing was lost', () => {
    expect(told(['prune', 'train'], 0.5)).not.toMatch(/trained/);
    expect(told(['quantize'], 0.5)).not.toMatch(/trained/);
    expect(told(['prune'], 0.895)).not.toMatch(/trained|fell/);
  });
});
