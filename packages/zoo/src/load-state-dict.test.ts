import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { decodeFloats, fromNumbers, type Graph, joinBytes, type Tensor, tensor, toFloats, zeros } from '@espalier/core';
import { decodeOnnx } from '@espalier/onnx';
import { readSafetensors, writeSafetensors } from '@espalier/safetensors';
import { describe, expect, it } from 'vitest';
import { modelsFolder } from '../../../test/fixtures.js';
import { randomizeWeights } from '../../../test/randomize-weights.js';
import { largestDifference, randomFeeds, runOnnx } from '../../../test/run-onnx.js';
import { alexnet, loadStateDict, mobilenetV2, resnet18, resnet20, shufflenetV2, stateDict } from './index.js';

const folder = modelsFolder();

/** Runs both on the same random images; the results go by the name of their one output. */
async function difference(ours: Graph, theirs: Graph, batch: number): Promise<number> {
  const feeds = randomFeeds(ours, { sizes: { batch } });
  const theirFeeds = new Map([[theirs.inputs[0]!, feeds.get('input')!]]);
  return largestDifference(await runOnnx(theirs, theirFeeds), await runOnnx(ours, feeds));
}

const shapes = (graph: Graph) => [...stateDict(graph)].map(([name, { shape }]) => `${name} [${shape}]`).sort();

const bytesOf = (graph: Graph) => Buffer.concat(writeSafetensors({ tensors: stateDict(graph) }));

describe.skipIf(!folder)('the networks of torchvision (skipped without the models folder)', () => {
  it.each([
    ['resnet18', resnet18],
    ['mobilenet_v2', mobilenetV2],
    ['shufflenet_v2_x1_0', shufflenetV2],
    ['alexnet', alexnet],
  ] as const)('%s: same names, same shapes, and the same answers with the same weights', async (file, make) => {
    const bytes = gunzipSync(readFileSync(`${folder}/topologies/${file}.onnx.gz`));
    const theirs = randomizeWeights(decodeOnnx(bytes), 7);
    const ours = make();
    expect(shapes(ours)).toEqual(shapes(theirs));
    const loaded = loadStateDict(ours, stateDict(theirs));
    expect([loaded.missing, loaded.unexpected]).toEqual([[], []]);
    expect(await difference(loaded.graph, theirs, 1)).toBeLessThan(1e-4);
  });

  it('and ResNet-20 with padded shortcuts answers like the trained one', async () => {
    const theirs = decodeOnnx(readFileSync(`${folder}/resnet20-cifar10.onnx`));
    const weights = [...stateDict(theirs)].map(([name, each]) => [name.replace('linear.', 'fc.'), each] as const);
    const ours = resnet20();
    const known = new Map(weights.filter(([name]) => ours.constants.has(name)));
    const loaded = loadStateDict(ours, known);
    expect(await difference(loaded.graph, theirs, 3)).toBeLessThan(1e-4);
  });
});

describe('a state dict', () => {
  const graph = resnet20({ seed: 1 });
  const saved = stateDict(graph);

  it('comes back from safetensors as it was', () => {
    const { tensors } = readSafetensors(joinBytes(writeSafetensors({ tensors: saved })));
    const { graph: loaded, missing, unexpected } = loadStateDict(resnet20({ seed: 2 }), tensors);
    expect(bytesOf(loaded).equals(bytesOf(graph))).toBe(true);
    expect([missing, unexpected]).toEqual([[], []]);
  });

  it('is taken by reference, and leaves the graph it is loaded into alone', () => {
    const other = resnet20({ seed: 2 });
    const before = other.constants.get('conv1.weight');
    const { graph: loaded } = loadStateDict(other, saved);
    expect(loaded.constants.get('conv1.weight')).toBe(saved.get('conv1.weight'));
    expect(other.constants.get('conv1.weight')).toBe(before);
  });

  it('may count batches, and may be of half precision', () => {
    const halves = [...saved].map(
      ([name, each]) => [name, fromNumbers('float16', each.shape, toFloats(each))] as const,
    );
    const counted = new Map<string, Tensor>([
      ...halves,
      ['bn1.num_batches_tracked', tensor('int64', [], new BigInt64Array(1))],
    ]);
    const loaded = loadStateDict(graph, counted).graph.constants.get('fc.bias')!;
    expect(loaded.dtype).toBe('float32');
    expect(loaded.data).toEqual(decodeFloats('float16', counted.get('fc.bias')!.data as Uint16Array));
  });

  it('with other names is refused, with what is missing, what is too many and what may be meant', () => {
    const renamed = new Map([...saved].map(([name, each]) => [name.replace('fc.', 'fx.'), each]));
    expect(() => loadStateDict(graph, renamed)).toThrow(
      'state dict: expected one tensor for each weight of the model, under its name, found missing: fc.weight, fc.bias; ' +
        'unexpected: fx.weight, fx.bias. "fc.weight" may be "fx.weight". Rename them, or pass { strict: false } to load what fits.',
    );
    const wrapped = new Map([...saved].map(([name, each]) => [`module.${name}`, each]));
    expect(() => loadStateDict(graph, wrapped)).toThrow('and 89 more. "conv1.weight" may be "module.conv1.weight".');
  });

  it('with other names is loaded as far as it fits when not strict', () => {
    const some = new Map([
      ['conv1.weight', saved.get('conv1.weight')!],
      ['extra', zeros('float32', [1])],
    ]);
    const other = resnet20({ seed: 2 });
    const { graph: loaded, missing, unexpected } = loadStateDict(other, some, { strict: false });
    expect(loaded.constants.get('conv1.weight')).toBe(saved.get('conv1.weight'));
    expect(loaded.constants.get('fc.weight')).toBe(other.constants.get('fc.weight'));
    expect([missing.length, unexpected]).toEqual([saved.size - 1, ['extra']]);
  });

  it.each([true, false])('with another shape or kind is refused (strict %s)', (strict) => {
    const cases = [zeros('float32', [100, 64]), zeros('int64', [10, 64])];
    for (const wrong of cases)
      expect(() => loadStateDict(graph, new Map([...saved, ['fc.weight', wrong]]), { strict })).toThrow(
        `state dict, tensor "fc.weight": expected float32[10,64], found ${wrong.dtype}[${wrong.shape}].`,
      );
  });
});
