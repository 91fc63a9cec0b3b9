import {
  type Attribute,
  createGraph,
  createNode,
  float,
  floats,
  fromNumbers,
  type Graph,
  int,
  type Tensor,
  text,
  toNumbers,
  type ValueInfo,
} from '@espalier/core';
import { beforeAll, expect, test } from 'vitest';
import { type Heap, openHeap } from './heap.js';
import { openSession } from './open-session.js';

let heap: Heap;
beforeAll(async () => {
  heap = await openHeap('');
});

interface Case {
  readonly op: string;
  readonly opset: number;
  readonly x: Tensor;
  readonly constants?: readonly Tensor[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly outputs?: readonly string[];
}

function graphOf({ op, opset, x, constants = [], attributes = {}, outputs = ['y'] }: Case): Graph {
  const names = constants.map((_, i) => `c${i}`);
  return createGraph({
    inputs: ['x'],
    outputs: ['y'],
    nodes: [createNode({ id: 'node', op, inputs: ['x', ...names], outputs, attributes })],
    constants: new Map(constants.map((each, i) => [`c${i}`, each])),
    values: new Map<string, ValueInfo>([['x', { dtype: x.dtype, shape: x.shape }]]),
    opsets: new Map([['', opset]]),
  });
}

async function computed(each: Case) {
  const session = openSession(heap, graphOf(each));
  const y = (await session.run(new Map([['x', each.x]]))).get('y')!; // the graph's output
  await session.close();
  return { shape: y.shape, values: Array.from(toNumbers(y)) };
}

const pixels = floats([1, 2, 3, 4], [1, 1, 2, 2]);

test('Upsample of opset 7 reads its factors from the attribute', async () => {
  const attributes = { scales: { kind: 'floats', value: [1, 1, 2, 2] } } as const;
  const upsampled = await computed({ op: 'Upsample', opset: 7, x: pixels, attributes });
  expect(upsampled).toEqual({ shape: [1, 1, 4, 4], values: [1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4] });
});

test('GroupNormalization of opset 18 takes one scale a group', async () => {
  const x = floats([-1, 1, -1, 1], [1, 4, 1]);
  const constants = [floats([2, 3]), floats([0, 10])];
  const attributes = { num_groups: int(2), epsilon: float(0) };
  const { values } = await computed({ op: 'GroupNormalization', opset: 18, x, constants, attributes });
  expect(values).toEqual([-2, 2, 7, 13]);
});

test('outside of the image, tf_crop_and_resize gives the extrapolation value, 0 unless said', async () => {
  const empty = floats([]);
  const sizes = fromNumbers('int64', [1], [4]);
  const resize = (attributes: Readonly<Record<string, Attribute>>) =>
    computed({
      op: 'Resize',
      opset: 13,
      x: floats([1, 2, 3]),
      constants: [floats([-1, 2]), empty, sizes],
      attributes: { coordinate_transformation_mode: text('tf_crop_and_resize'), mode: text('linear'), ...attributes },
    });
  // Positions -2, 0, 2 and 4 of an input of 3.
  expect((await resize({})).values).toEqual([0, 1, 3, 0]);
  expect((await resize({ extrapolation_value: float(7) })).values).toEqual([7, 1, 3, 7]);
});

test('Resize keeps the proportions where it is asked to: 2 x 2 into 3 x 6 gives 3 x 3', async () => {
  const { shape } = await computed({
    op: 'Resize',
    opset: 18,
    x: pixels,
    constants: [floats([]), floats([]), fromNumbers('int64', [4], [1, 1, 3, 6])],
    attributes: { keep_aspect_ratio_policy: text('not_larger'), axes: { kind: 'ints', value: [0, 1, 2, 3] } },
  });
  expect(shape).toEqual([1, 1, 2, 2]); // the batch of 1 lets nothing grow
  const free = await computed({
    op: 'Resize',
    opset: 18,
    x: pixels,
    constants: [floats([]), floats([]), fromNumbers('int64', [2], [3, 6])],
    attributes: { keep_aspect_ratio_policy: text('not_larger'), axes: { kind: 'ints', value: [2, 3] } },
  });
  expect(free.shape).toEqual([1, 1, 3, 3]);
});

test('SpaceToDepth puts the channels before or behind the pixels of a block', async () => {
  const x = floats([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 2, 2]);
  const blocks = (mode: string) =>
    computed({ op: 'SpaceToDepth', opset: 28, x, attributes: { blocksize: int(2), mode: text(mode) } });
  expect((await blocks('DCR')).values).toEqual([1, 5, 2, 6, 3, 7, 4, 8]);
  expect((await blocks('CRD')).values).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
});

test.each([7, 12, 21])('a mask of Dropout that nothing reads is no obstacle in opset %i', async (opset) => {
  expect((await computed({ op: 'Dropout', opset, x: pixels, outputs: ['y', 'mask'] })).values).toEqual([1, 2, 3, 4]);
});

test('a Dropout that is not training has a mask of ones', async () => {
  const graph = {
    ...graphOf({ op: 'Dropout', opset: 13, x: pixels, outputs: ['y', 'mask'] }),
    outputs: ['y', 'mask'],
  };
  const mask = (await openSession(heap, graph).run(new Map([['x', pixels]]))).get('mask')!; // an output
  expect([mask.dtype, ...mask.data]).toEqual(['bool', 1, 1, 1, 1]);
});

const statistics = ['scale', 'bias', 'mean', 'variance'].map(() => floats([1, 1, 1, 1], [1, 2, 2]));
const refused: readonly (readonly [string, Case, RegExp])[] = [
  [
    'statistics per position',
    { op: 'BatchNormalization', opset: 7, x: pixels, constants: statistics, attributes: { spatial: int(0) } },
    /statistics per position/,
  ],
  [
    'an attribute that no kernel knows',
    { op: 'Relu', opset: 40, x: pixels, attributes: { ceiling: float(6) } },
    /found the attribute "ceiling"/,
  ],
  [
    'a value of an attribute that no kernel knows',
    { op: 'DepthToSpace', opset: 40, x: pixels, attributes: { blocksize: int(1), mode: text('RCD') } },
    /found the attribute "mode" with the value RCD/,
  ],
  ['a dtype that no kernel takes', { op: 'Softmax', opset: 40, x: fromNumbers('int32', [1], [1]) }, /input of int32/],
];
test.each(refused)('%s is refused when the session opens', (_, each, message) => {
  expect(() => openSession(heap, graphOf(each))).toThrow(
    expect.objectContaining({ code: 'EXECUTOR_UNSUPPORTED_OP', message: expect.stringMatching(message) }),
  );
});
