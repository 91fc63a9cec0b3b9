import { adam, crossEntropy, type TrainingStep, trainingStep } from '@espalier/autodiff';
import {
  buildGraph,
  createRandom,
  type EspalierError,
  floats,
  fromNumbers,
  type Graph,
  int,
  ints,
  type Loop,
  longs,
  type Session,
  scalar,
  sizeOf,
  type Tensor,
} from '@espalier/core';
import { setInputShapes } from '@espalier/ops';
import { resnet20 } from '@espalier/zoo';
import { afterAll, describe, expect, it } from 'vitest';
import { convNet, mobileNet, transformer } from '../../../test/small-nets.js';
import { createTensorCore } from './create-tensor-core.js';
import { openHeap } from './heap.js';

const executor = createTensorCore();
afterAll(() => executor.close());

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (cause: EspalierError) => cause.code,
  );

/** A step of Adam with clipped gradients, on 4 samples, and what it is fed besides what it carries. */
function stepOf(graph: Graph): { readonly step: TrainingStep; readonly feeds: ReadonlyMap<string, Tensor> } {
  const shapes = graph.inputs.map((each) => [each, [4, ...graph.values.get(each)!.shape!.slice(1)]] as const);
  const fixed = setInputShapes(graph, new Map(shapes));
  const step = trainingStep(fixed, { loss: crossEntropy({}), optimizer: adam({ weightDecay: 0.01 }), clipNorm: 1 });
  const random = createRandom(5);
  const carried = new Set(carriedBy(step).map(({ input }) => input));
  const feeds = new Map<string, Tensor>();
  for (const input of step.graph.inputs) {
    const { dtype, shape = [] } = step.graph.values.get(input)!; // inputs have types
    if (carried.has(input)) continue;
    const drawn = dtype === 'int64' ? () => random.below(3) : random.normal;
    feeds.set(input, fromNumbers(dtype, shape.map(Number), Array.from({ length: sizeOf(shape.map(Number)) }, drawn)));
  }
  return { step, feeds: feeds.set(step.learningRate, scalar(0.01)) };
}

const carriedBy = (step: TrainingStep) => [...step.parameters, ...step.state, ...step.statistics];

/** `next` is what is carried to `w`; `seen` is computed after it and fails where `index` is out of bounds. */
function counter(dtype: 'float32' | 'float16' | 'int32' | 'int64', size: number): Graph {
  const b = buildGraph();
  const w = b.input('w', dtype, [size]);
  const add = b.input('add', dtype, [1]);
  b.output(b.add('Add', [w, add], { name: 'next' }));
  b.output(b.add('Gather', ['next', b.input('index', 'int64', [1])], { name: 'seen', attributes: { axis: int(0) } }));
  return b.finish();
}

describe('a loop in WebAssembly memory', () => {
  it.each([
    ['convolution and pooling', convNet()],
    ['depthwise convolution', mobileNet()],
    ['attention', transformer()],
    ['a narrow ResNet-20', resnet20({ size: 8, width: 0.5 })],
  ] as const)('of steps of training of %s gives the bits of feeding back by run', async (_, graph) => {
    const { step, feeds } = stepOf(graph);
    const session = await executor.open(step.graph);
    const carried = carriedBy(step);
    const loop = await session.loop!(carried); // this executor has it
    let fed = new Map(carried.map(({ input, initial }): [string, Tensor] => [input, initial]));
    for (let i = 1; i <= 4; i++) {
      const now = new Map(feeds).set(step.step, scalar(i));
      const looped = await loop.step(now, [step.loss]);
      const results = await session.run(new Map([...now, ...fed]));
      fed = new Map(carried.map(({ input, output }) => [input, results.get(output)!])); // all outputs were fetched
      expect([...looped]).toEqual([[step.loss, results.get(step.loss)]]);
    }
    expect(await loop.read()).toEqual(fed);
    await session.close();
  });

  it.each([
    ['float32', 1000],
    ['float32', 3],
    ['float16', 1000],
    ['int32', 70_000],
    ['int64', 1000],
  ] as const)('carries %s of %i elements as run gives them back', async (dtype, size) => {
    const session = await executor.open(counter(dtype, size));
    const numbers = Array.from({ length: size }, (_, i) => i % 7);
    const initial = fromNumbers(dtype, [size], numbers);
    const loop = await session.loop!([{ input: 'w', output: 'next', initial }]);
    const feeds = new Map([
      ['add', fromNumbers(dtype, [1], [dtype === 'float16' ? 0.0001 : 3])],
      ['index', longs([0])],
    ]);
    let fed: Tensor = initial;
    for (let i = 0; i < 3; i++) {
      await loop.step(feeds);
      fed = (await session.run(new Map([...feeds, ['w', fed]]))).get('next')!;
    }
    expect((await loop.read(['w'])).get('w')).toEqual(fed);
    await session.close();
  });

  it('keeps memory flat, and closing the loop or its session frees everything', async () => {
    const heap = await openHeap('');
    const { step, feeds } = stepOf(resnet20({ size: 8, width: 0.5 }));
    const session = await executor.open(step.graph);
    const now = new Map(feeds).set(step.step, scalar(1));
    const empty = heap.live();
    const first = await session.loop!(carriedBy(step));
    const counts: number[] = [];
    const bytes = () => heap.floats({ dataId: {}, pointer: 0, count: 0, holders: 0 }).buffer.byteLength;
    await first.step(now);
    const before = bytes();
    for (let i = 0; i < 60; i++) {
      await first.step(now, [step.loss]);
      counts.push(heap.live());
    }
    expect(new Set(counts).size).toBe(1);
    expect(bytes()).toBe(before);
    const second = await session.loop!(carriedBy(step));
    await second.step(now);
    expect(heap.live()).toBeGreaterThan(counts[0]!);
    await second.close();
    await second.close();
    expect(heap.live()).toBe(counts[0]);
    await session.close();
    expect(heap.live()).toBe(empty);
    expect(await codeOf(first.step(now))).toBe('EXECUTOR_CLOSED');
    expect(await codeOf(session.loop!([]))).toBe('EXECUTOR_CLOSED');
  });

  it('leaves carried tensors as they were where a run fails', async () => {
    const session = await executor.open(counter('float32', 1000));
    const initial = floats(new Float32Array(1000).fill(1));
    const loop = await session.loop!([{ input: 'w', output: 'next', initial }]);
    const live = (await openHeap('')).live();
    initial.data.fill(9); // it is the caller's
    const feeds = (index: number) =>
      new Map<string, Tensor>([
        ['add', floats([1])],
        ['index', longs([index])],
      ]);
    expect(await codeOf(loop.step(feeds(1000), ['seen']))).toBe('EXECUTOR_FAILED');
    expect(await codeOf(loop.step(feeds(0), ['unseen']))).toBe('EXECUTOR_OUTPUT');
    expect(await codeOf(loop.step(new Map([['add', floats([1])]])))).toBe('EXECUTOR_INPUT');
    expect(await codeOf(loop.step(new Map([...feeds(0), ['w', initial]])))).toBe('EXECUTOR_INPUT');
    expect((await openHeap('')).live()).toBe(live);
    expect((await loop.step(feeds(0), ['seen'])).get('seen')).toEqual(floats([2]));
    const read = (await loop.read()).get('w')!;
    (read.data as Float32Array).fill(5); // likewise
    expect((await loop.read()).get('w')).toEqual(floats(new Float32Array(1000).fill(2)));
    await session.close();
  });

  it('feeds one output to several inputs, one input to itself, and tensors that kernels turn', async () => {
    const b = buildGraph();
    const [x, y, z] = ['x', 'y', 'z'].map((name) => b.input(name, 'float32', [20, 20, 3]));
    b.output(b.add('Add', [b.add('Transpose', [x!], { attributes: { perm: ints([1, 0, 2]) } }), y!], { name: 'sum' }));
    b.output(b.add('Identity', [z!], { name: 'same' }));
    const session = await executor.open(b.finish());
    const of = (at: (i: number) => number) =>
      floats(
        Float32Array.from({ length: 1200 }, (_, i) => at(i)),
        [20, 20, 3],
      );
    const initial = { x: of((i) => i), y: of((i) => -i), z: of(() => 7) };
    const loop: Loop = await session.loop!([
      { input: 'x', output: 'sum', initial: initial.x },
      { input: 'y', output: 'sum', initial: initial.y },
      { input: 'z', output: 'same', initial: initial.z },
    ]);
    const wanted = await twice(session, initial);
    await loop.step(new Map());
    const { same } = Object.fromEntries(await loop.step(new Map(), ['same']));
    expect(Object.fromEntries(await loop.read())).toEqual(wanted);
    (same!.data as Float32Array).fill(0); // the caller's own
    expect((await loop.read(['z'])).get('z')).toEqual(initial.z);
    expect(await codeOf(loop.read(['sum']))).toBe('EXECUTOR_OUTPUT');
    await session.close();
  });

  it('refuses unknown names, and outputs that do not fit the inputs they are for', async () => {
    const b = buildGraph();
    const x = b.input('x', 'float32', [600]);
    b.output(b.add('Concat', [x, x], { name: 'longer', attributes: { axis: int(0) } }));
    const session = await executor.open(b.finish());
    const initial = floats(new Float32Array(600));
    const loop = await session.loop!([{ input: 'x', output: 'longer', initial }]);
    await loop.step(new Map());
    expect(await codeOf(loop.step(new Map()))).toBe('EXECUTOR_INPUT');
    expect(await codeOf(session.loop!([{ input: 'x', output: 'shorter', initial }]))).toBe('EXECUTOR_OUTPUT');
    expect(await codeOf(session.loop!([{ input: 'y', output: 'longer', initial }]))).toBe('EXECUTOR_INPUT');
    const both = [1, 2].map(() => ({ input: 'x', output: 'longer', initial }));
    expect(await codeOf(session.loop!(both))).toBe('EXECUTOR_INPUT');
    await session.close();
  });
});

/** What x, y and z are after two runs that feed them back. */
async function twice(session: Session, initial: Readonly<Record<'x' | 'y' | 'z', Tensor>>) {
  let now = initial;
  for (let i = 0; i < 2; i++) {
    const results = await session.run(new Map(Object.entries(now)));
    const sum = results.get('sum')!;
    now = { x: sum, y: sum, z: results.get('same')! };
  }
  return now;
}
