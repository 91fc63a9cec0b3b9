import { onnxExport, onnxImport } from '@espalier/onnx';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import * as schedules from '@espalier/schedules';
import { registry } from 'espalier';
import { afterAll, describe, it } from 'vitest';
import {
  describeDataset,
  describeExecutor,
  describeFormat,
  describeLoss,
  describeModel,
  describeObserver,
  describeOptimizer,
  describePass,
  describePlugin,
  describePruner,
  describePruning,
  describeQuantizer,
  describeRounding,
  describeSchedule,
  describeTrainer,
  runKit,
} from './index.js';

const frame = { describe, it };
const executor = createOnnxRuntime({ threads: 1 });
afterAll(() => executor.close());

describe('every built-in plugin', () => {
  for (const plugin of registry.list('pass')) runKit(describePass(plugin, { executor }), frame);
  for (const plugin of registry.list('quantizer')) runKit(describeQuantizer(plugin, { executor, registry }), frame);
  for (const plugin of registry.list('pruner')) runKit(describePruner(plugin), frame);
  for (const plugin of registry.list('observer')) runKit(describeObserver(plugin), frame);
  for (const plugin of registry.list('pruning'))
    runKit(describePruning(plugin, { with: { sparsity: 0.5 }, registry, executor }), frame);
  for (const plugin of registry.list('loss')) {
    const options = plugin.id === 'feature-matching' ? { values: ['h'] } : {};
    runKit(describeLoss(plugin, { with: options, registry, executor }), frame);
  }
  for (const plugin of registry.list('optimizer')) runKit(describeOptimizer(plugin, { executor }), frame);
  // Narrow forms of the large models: what is checked is the same.
  for (const plugin of registry.list('model')) {
    const options = plugin.options['width']?.type === 'number' ? { width: 0.25 } : {};
    runKit(describeModel(plugin, { with: options, executor }), frame);
  }
  for (const plugin of registry.list('trainer'))
    runKit(describeTrainer(plugin, { with: { batch: 32 }, registry, executor }), frame);
  for (const plugin of registry.list('rounding')) runKit(describeRounding(plugin), frame);
  for (const plugin of registry.list('executor')) runKit(describePlugin(plugin), frame);
  // Loaders of files are tried beside their code, where the files are made.
  const context = { inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 3] }] } as const;
  runKit(describeDataset(registry.find('dataset', 'synthetic')), frame);
  runKit(describeDataset(registry.find('dataset', 'random'), { context }), frame);
  runKit(describeFormat({ reader: onnxImport, writer: onnxExport }), frame);
  runKit(
    describeExecutor(() => createOnnxRuntime({ threads: 1 })),
    frame,
  );
});

describe('every schedule', () => {
  const { constant, cosine, cubic, cyclical, exponential, linear, oneShot } = schedules;
  runKit(describeSchedule(constant, { with: { value: 0.5 }, between: [0.5, 0.5] }), frame);
  for (const ramp of [linear, cosine, cubic])
    runKit(describeSchedule(ramp, { with: { to: 0.8, end: 100 }, between: [0, 0.8] }), frame);
  runKit(describeSchedule(exponential, { with: { from: 1, to: 0.1, end: 100 }, between: [0.1, 1] }), frame);
  runKit(describeSchedule(cyclical, { with: { to: 0.8, end: 100, cycles: 4 }, between: [0, 0.8] }), frame);
  runKit(describeSchedule(oneShot, { with: { to: 0.8, at: 10 }, between: [0, 0.8] }), frame);
});
