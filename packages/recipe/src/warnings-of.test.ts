import type { ClassifierMetrics } from '@espalier/analysis';
import { describe, expect, it } from 'vitest';
import { warningsOf } from './warnings-of.js';

const accuracy = (top1: number): ClassifierMetrics => ({ top1, loss: 1 });
const step = (name: string) => ({ step: name, use: name, seconds: 1, notes: [] });
const findings = (steps: readonly string[], after: number) => ({
  comparison: null,
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

  it('do not ask for training where there was some, nothing was pruned, or nothing was lost', () => {
    expect(told(['prune', 'train'], 0.5)).not.toMatch(/trained/);
    expect(told(['quantize'], 0.5)).not.toMatch(/trained/);
    expect(told(['prune'], 0.895)).not.toMatch(/trained|fell/);
  });
});
