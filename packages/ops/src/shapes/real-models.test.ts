import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type Executor, fromNumbers, type Graph, sizeOf, type ValueInfo } from '@espalier/core';
import { decodeOnnx } from '@espalier/onnx';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { afterAll, describe, expect, it } from 'vitest';
import { modelsFolder } from '../../../../test/fixtures.js';
import { inferShapes } from '../infer-shapes.js';
import { setInputShapes } from '../set-input-shapes.js';
import { unknownOps } from '../unknown-ops.js';
import { bindDim } from './dim.js';

const folder = modelsFolder();
const names = (part: string, ending: string): readonly string[] =>
  folder
    ? readdirSync(join(folder, part))
        .filter((name) => name.endsWith(ending))
        .map((name) => join(part, name))
    : [];
// Unpacks to 575 MB; its layers are those of any VGG.
const topologies = names('topologies', '.onnx.gz').filter((name) => !name.includes('vgg19'));

/** A model as it is without any type but those of its inputs, so that nothing can be looked up. */
function bare(name: string): Graph {
  const file = readFileSync(join(folder!, name)); // only called where there is a folder
  const bytes = Uint8Array.from(name.endsWith('.gz') ? gunzipSync(file) : file);
  const graph = decodeOnnx(bytes);
  return { ...graph, values: new Map([...graph.values].filter(([value]) => graph.inputs.includes(value))) };
}

const valuesOf = ({ nodes }: Graph): readonly string[] =>
  nodes.flatMap(({ outputs }) => outputs).filter((value) => value !== undefined);

const skip = folder ? '' : ' (skipped: no folder of models, see test/fixtures.ts)';

describe.skipIf(!folder)(`networks of torchvision${skip}`, () => {
  it.each(topologies)('%s: every shape is known and the batch stays named to the end', (name) => {
    const graph = inferShapes(bare(name));
    expect([...unknownOps(graph).keys()]).toEqual([]);
    const open = valuesOf(graph).filter((value) => {
      const shape = graph.values.get(value)?.shape;
      return !shape || shape.some((dim) => `${dim}`.includes('?'));
    });
    expect(open).toEqual([]);
    expect(graph.outputs.map((value) => graph.values.get(value))).toEqual([
      { dtype: 'float32', shape: ['batch', 1000] },
    ]);
    expect(inferShapes(graph)).toBe(graph);
  });
});

describe.skipIf(!folder)(`every value of a real model${skip}`, () => {
  const executor: Executor = createOnnxRuntime({ threads: 2 });
  afterAll(() => executor.close());
  const sizes = new Map<string, number>([
    ['batch', 2],
    ['batch_size', 2],
    ['unk__84', 2],
    ['sequence', 512],
  ]);
  const sample = [
    ...names('', '.onnx'),
    ...['mobilenet_v3_small', 'shufflenet_v2_x0_5', 'squeezenet1_1'].map((name) => `topologies/${name}.onnx.gz`),
  ];

  it.each(sample)('has the type that onnxruntime gives it: %s', async (name) => {
    const named = inferShapes(bare(name));
    const shapes = named.inputs.map(
      (input) => [input, named.values.get(input)!.shape!.map((dim) => bindDim(dim, sizes))] as const,
    );
    const fixed = setInputShapes(named, new Map(shapes));
    // With sizes fixed, onnxruntime refuses models whose branches that never run contradict themselves.
    const session = await executor.open({ ...named, outputs: valuesOf(named) }, { optimize: false });
    const feeds = shapes.map(([input, shape]) => {
      const { dtype } = fixed.values.get(input) as ValueInfo; // inputs are typed
      const known = shape as readonly number[]; // every name of the sample is bound
      const fill = dtype === 'int64' ? () => 16_000 : (_: unknown, i: number) => (i % 17) / 17;
      return [input, fromNumbers(dtype, known, Array.from({ length: sizeOf(known) }, fill))] as const;
    });
    for (const [value, { dtype, shape }] of await session.run(new Map(feeds))) {
      expect([value, fixed.values.get(value)]).toEqual([value, { dtype, shape }]);
      const spelled = named.values.get(value)?.shape?.map((dim) => bindDim(dim, sizes));
      if (spelled?.every((dim) => typeof dim === 'number')) expect([value, spelled]).toEqual([value, shape]);
    }
    await session.close();
  });
});
