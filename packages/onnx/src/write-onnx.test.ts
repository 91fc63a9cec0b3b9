import {
  createGraph,
  createNode,
  type Files,
  floats,
  type Graph,
  joinBytes,
  memoryFiles,
  scalar,
  type Tensor,
  tensor,
} from '@espalier/core';
import { expect, test } from 'vitest';
import { sameBytes, sameGraph } from '../test/same-graph.js';
import { weightsGraph } from '../test/weights-graph.js';
import { decodeOnnx } from './decode-onnx.js';
import { encodeOnnx } from './encode-onnx.js';
import { readOnnx } from './read-onnx.js';
import { writeOnnx } from './write-onnx.js';

const graph = weightsGraph([100_000, 10, 300, 20_000]);

test('a graph that fits becomes one file, the same bytes every time', async () => {
  const content = new Map<string, Uint8Array>();
  expect(await writeOnnx(graph, memoryFiles(content), { path: 'm/a.onnx' })).toEqual(['m/a.onnx']);
  expect([...content.keys()]).toEqual(['m/a.onnx']);
  expect(sameBytes(content.get('m/a.onnx')!, joinBytes(encodeOnnx(graph)))).toBe(true);
});

test('a limit splits the weights over several files, and their ending can be chosen', async () => {
  const files = memoryFiles();
  const weights = new Map(['a', 'b', 'c'].map((name) => [name, floats(new Float32Array(300).fill(1.5), [300])]));
  const graph = createGraph({ inputs: [], outputs: ['a', 'b', 'c'], constants: weights, nodes: [] });
  const options = { externalData: 'always', externalEnding: '_data', externalLimit: 2500 } as const;
  const paths = await writeOnnx(graph, files, { path: 'm/a.onnx', ...options });
  expect(paths).toEqual(['m/a.onnx', 'm/a.onnx_data', 'm/a.onnx_data_1']);
  expect(await Promise.all(paths.slice(1).map((path) => files.size(path)))).toEqual([1216 + 1200, 1200]);
  const { constants } = await readOnnx(files, 'm/a.onnx');
  for (const [name, { data }] of weights) expect(constants.get(name)?.data).toEqual(data);
});

test('external weights go to one file beside the model, large ones to whole pages, and are read back', async () => {
  const content = new Map<string, Uint8Array>();
  const files = memoryFiles(content);
  const paths = await writeOnnx(graph, files, { path: 'm/a.onnx', externalData: 'always' });
  expect(paths).toEqual(['m/a.onnx', 'm/a.onnx.data']);
  // 400,000 bytes at 0, 1,200 at the next multiple of 64, 80,000 at the next page; 40 bytes stay inside.
  expect(content.get('m/a.onnx.data')!.length).toBe(Math.ceil((400_000 + 1200) / 4096) * 4096 + 80_000);
  expect(content.get('m/a.onnx')!.length).toBeLessThan(2000);
  expect(sameGraph(await readOnnx(files, 'm/a.onnx'), graph)).toBe(true);
});

test('the threshold decides which weights go', async () => {
  const content = new Map<string, Uint8Array>();
  const options = { path: 'a.onnx', externalData: 'always', externalThreshold: 100_000 } as const;
  await writeOnnx(graph, memoryFiles(content), options);
  expect(content.get('a.onnx.data')!.length).toBe(400_000);
  expect(await writeOnnx(graph, memoryFiles(), { ...options, externalThreshold: 1e9 })).toEqual(['a.onnx']);
});

test('weights that share their data are stored once', async () => {
  const shared = floats(new Float32Array(1000));
  const twice = createGraph({
    inputs: [],
    outputs: ['y'],
    constants: new Map([
      ['a', shared],
      ['b', shared],
    ]),
    nodes: [createNode({ id: 'add', op: 'Add', inputs: ['a', 'b'], outputs: ['y'] })],
  });
  const content = new Map<string, Uint8Array>();
  const files = memoryFiles(content);
  await writeOnnx(twice, files, { path: 'a.onnx', externalData: 'always' });
  expect(content.get('a.onnx.data')!.length).toBe(4000);
  const { constants } = await readOnnx(files, 'a.onnx');
  expect((constants.get('a')!.data as Float32Array).buffer).toBe((constants.get('b')!.data as Float32Array).buffer);
});

/** 2.4 GB of zeros that are never touched, so that they take no memory. */
function hugeGraph(): Graph {
  const zeros = new ArrayBuffer(1.2e9);
  const names = ['a', 'b'];
  return createGraph({
    inputs: [],
    outputs: ['y'],
    constants: new Map(names.map((name) => [name, tensor('float32', [3e8], new Float32Array(zeros))])),
    nodes: [createNode({ id: 'add', op: 'Add', inputs: names, outputs: ['y'] })],
  });
}

test('a graph beyond 2 GiB goes to two files by itself, its weights streamed by reference', async () => {
  const sizes = new Map<string, number>();
  const files: Files = {
    ...memoryFiles(),
    async write(path, chunks) {
      let size = 0;
      for await (const chunk of chunks) size += chunk.length;
      sizes.set(path, size);
    },
  };
  expect(await writeOnnx(hugeGraph(), files, { path: 'a.onnx' })).toEqual(['a.onnx', 'a.onnx.data']);
  expect(sizes.get('a.onnx.data')).toBe(Math.ceil(1.2e9 / 4096) * 4096 + 1.2e9);
  expect(sizes.get('a.onnx')).toBeLessThan(1000);
});

test('a message beyond 2 GiB is refused where weights must stay inside', async () => {
  const limit = expect.objectContaining({ code: 'ONNX_LIMIT', message: expect.stringMatching(/writeOnnx/) });
  expect(() => encodeOnnx(hugeGraph())).toThrow(limit);
  await expect(writeOnnx(hugeGraph(), memoryFiles(), { path: 'a.onnx', externalData: 'never' })).rejects.toThrow(limit);
  expect(() => encodeOnnx(graph, { externalData: 'always' })).toThrow(
    expect.objectContaining({ code: 'ONNX_UNWRITABLE' }),
  );
});

test('weights are not copied', () => {
  const { data } = graph.constants.get('weight 0') as { data: Float32Array };
  expect(encodeOnnx(graph).some((chunk) => chunk.buffer === data.buffer)).toBe(true);
});

test('sparse weights are smaller files and read back as they were, negative zeros too', () => {
  const mostlyZero = new Float32Array(10_000);
  mostlyZero.set([1, -0, 2], 5000);
  const halves = new Uint16Array(4000);
  halves[3] = 0x3c00;
  const thin = createGraph({
    inputs: [],
    outputs: ['a', 'b', 'c', 'd'],
    constants: new Map<string, Tensor>([
      ['c', floats(Float32Array.from({ length: 100 }, (_, i) => i))],
      ['d', scalar(0)],
      // Sparse weights are read after dense ones.
      ['a', floats(mostlyZero, [100, 100])],
      ['b', tensor('float16', [4000], halves)],
    ]),
    nodes: [],
    provenance: { irVersion: 8 },
  });
  const sparse = joinBytes(encodeOnnx(thin, { sparse: true }));
  expect(sparse.length).toBeLessThan(1000);
  expect(joinBytes(encodeOnnx(thin)).length).toBeGreaterThan(48_000);
  expect(sameGraph(decodeOnnx(sparse), thin)).toBe(true);
});

test('the IR version rises with what the graph holds', () => {
  const version = (dtype: 'int4' | 'uint8', irVersion?: number) => {
    const constant = tensor(dtype, [2], new Uint8Array(dtype === 'int4' ? 1 : 2));
    const parts = { inputs: [], outputs: ['w'], constants: new Map([['w', constant]]), nodes: [] };
    const written = createGraph({ ...parts, provenance: irVersion === undefined ? {} : { irVersion } });
    return decodeOnnx(joinBytes(encodeOnnx(written))).provenance.irVersion;
  };
  expect([version('uint8'), version('uint8', 3), version('uint8', 9), version('int4', 7)]).toEqual([8, 4, 9, 10]);
});

test('an attribute that is not whole cannot be written as one', () => {
  const broken = createGraph({
    inputs: [],
    outputs: ['y'],
    nodes: [
      createNode({ id: 'n', op: 'Op', inputs: [], outputs: ['y'], attributes: { axis: { kind: 'int', value: 0.5 } } }),
    ],
  });
  expect(() => encodeOnnx(broken)).toThrow(
    expect.objectContaining({
      code: 'ONNX_UNWRITABLE',
      message: 'node "n" (Op), attribute "axis": expected a whole number, found 0.5.',
    }),
  );
});
