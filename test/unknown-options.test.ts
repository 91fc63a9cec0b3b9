import { compareSessions, costsOf, evaluateSession } from '@espalier/analysis';
import { trainingStep } from '@espalier/autodiff';
import { calibrate } from '@espalier/calibration';
import { buildGraph } from '@espalier/core';
import { encodeOnnx } from '@espalier/onnx';
import { coupled } from '@espalier/pruners';
import { analyzeModel, compress, compressFolder, trainModel } from '@espalier/recipe';
import { evaluate } from '@espalier/training';
import { expect, test } from 'vitest';

const b = buildGraph();
b.output(b.add('Relu', [b.input('x', 'float32', ['n', 2])], { name: 'y' }));
const graph = b.finish();

/** What a caller without types passes. */
const given = (key: string): never => ({ [key]: 1 }) as never;

test.each<[string, string, string, (options: never) => unknown]>([
  ['analyzeModel', 'boundz', 'bounds', analyzeModel],
  ['calibrate', 'batch', 'batches', (options) => calibrate(graph, [{ statistic: 'range', value: 'x' }], options)],
  [
    'compareSessions',
    'latencies',
    'latency',
    (options) => compareSessions(undefined as never, undefined as never, options),
  ],
  ['compress', 'inputs', 'input', compress],
  ['compressFolder', 'outputs', 'output', compressFolder],
  ['costsOf', 'size', 'sizes', (options) => costsOf(graph, options)],
  ['coupled', 'rule', 'rules', (options) => coupled(graph, options)],
  ['encodeOnnx', 'external', 'externalData', (options) => encodeOnnx(graph, options)],
  ['evaluate', 'metric', 'metrics', evaluate],
  ['evaluateSession', 'label', 'labels', (options) => evaluateSession(undefined as never, undefined as never, options)],
  ['trainModel', 'recipes', 'recipe', trainModel],
  ['trainingStep', 'optimiser', 'optimizer', (options) => trainingStep(graph, options)],
])('%s refuses "%s" and means "%s"', async (name, key, meant, call) => {
  const run = async () => call(given(key));
  await expect(run()).rejects.toThrow(new RegExp(`^${name}: expected one of the options .*found "${key}"`));
  if (key !== 'external') await expect(run()).rejects.toThrow(`Did you mean "${meant}"?`);
});
