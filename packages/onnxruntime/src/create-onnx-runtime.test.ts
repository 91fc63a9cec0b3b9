import {
  buildGraph,
  type DType,
  EspalierError,
  type Executor,
  floats,
  fromNumbers,
  type Graph,
  int,
  longs,
  type Tensor,
  tensor,
} from '@espalier/core';
import { afterAll, describe, expect, it } from 'vitest';
import { createOnnxRuntime } from './create-onnx-runtime.js';

/** y = x w + 1/2 over rows of two. */
const affine = (): Graph => {
  const b = buildGraph();
  const x = b.input('x', 'float32', ['n', 2]);
  const w = b.constant('w', floats([1, 2, 3, 4], [2, 2]));
  b.output(b.add('Add', [b.add('MatMul', [x, w], { name: 'h' }), b.constant('c', floats([0.5]))], { name: 'y' }));
  b.info('y', { dtype: 'float32', shape: ['n', 2] });
  return b.finish();
};

/** One node between an input x and an output y of one dtype. */
const single = (op: string, dtype: DType, { opset = 21, domain = '' } = {}): Graph => {
  const b = buildGraph({ inputs: [], outputs: [], nodes: [], opsets: new Map([['', opset], ...domains(domain)]) });
  b.output(b.add(op, [b.input('x', dtype, ['n'])], { name: 'y' }));
  b.info('y', { dtype, shape: ['n'] });
  return b.finish();
};
const domains = (domain: string): [string, number][] => (domain ? [[domain, 1]] : []);

const rows = (...values: number[]): ReadonlyMap<string, Tensor> =>
  new Map([['x', floats(values, [values.length / 2, 2])]]);

const failure = async (promise: Promise<unknown>): Promise<EspalierError> => {
  const found = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (found instanceof EspalierError) return found;
  throw new Error(`expected an EspalierError, got ${String(found)}`);
};

describe.each(['node', 'web'] as const)('onnxruntime, backend %s', (backend) => {
  const executor: Executor = createOnnxRuntime({ backend, threads: 1 });
  afterAll(() => executor.close());

  it('says which runtime it is', async () => {
    expect(await executor.describe()).toMatch(new RegExp(`^onnxruntime-${backend} 1\\.\\d+\\.\\d+`));
  });

  it('runs a graph and knows its ports', async () => {
    const session = await executor.open(affine());
    expect(session.inputs).toEqual([{ name: 'x', dtype: 'float32', shape: ['n', 2] }]);
    expect(session.outputs).toEqual([{ name: 'y', dtype: 'float32', shape: ['n', 2] }]);
    expect([...(await session.run(rows(1, 1, 2, 0)))]).toEqual([['y', floats([4.5, 6.5, 2.5, 4.5], [2, 2])]]);
  });

  it('gives the same results with and without optimization, again and again', async () => {
    const graph = affine();
    const [fast, plain] = [await executor.open(graph), await executor.open(graph, { optimize: false })];
    expect(fast).not.toBe(plain);
    const first = await fast.run(rows(1, 2, 3, 4));
    expect(await plain.run(rows(1, 2, 3, 4))).toEqual(first);
    expect(await fast.run(rows(1, 2, 3, 4))).toEqual(first);
  });

  it('keeps one session per graph and options until it is closed', async () => {
    const graph = affine();
    const [a, b] = await Promise.all([executor.open(graph), executor.open(graph)]);
    expect(a).toBe(b);
    expect(await executor.open(affine())).not.toBe(a);
    await a.close();
    await a.close();
    expect((await failure(a.run(rows(1, 2)))).code).toBe('EXECUTOR_CLOSED');
    const again = await executor.open(graph);
    expect(again).not.toBe(a);
    expect((await again.run(rows(0, 0))).get('y')).toEqual(floats([0.5, 0.5], [1, 2]));
  });

  it('finishes what runs before a session closes', async () => {
    const session = await executor.open(affine());
    const running = session.run(rows(0, 1));
    await session.close();
    expect((await running).get('y')).toEqual(floats([3.5, 4.5], [1, 2]));
  });

  it('fetches only what was asked, each name once', async () => {
    const b = buildGraph(affine());
    b.output('h');
    const session = await executor.open(b.finish());
    expect([...(await session.run(rows(1, 0), ['h', 'h'])).keys()]).toEqual(['h']);
    expect((await session.run(rows(1, 0), [])).size).toBe(0);
    const wrong = await failure(session.run(rows(1, 0), ['Y']));
    expect(wrong.code).toBe('EXECUTOR_OUTPUT');
    expect(wrong.message).toContain('Did you mean "y"?');
  });

  it.each([
    ['float64', [1.5, -2]],
    ['float16', [1.5, -2]],
    ['int64', [1, -5]],
    ['uint64', [1, 5]],
    ['int32', [1, -5]],
    ['uint32', [1, 4e9]],
    ['int16', [1, -5]],
    ['uint16', [1, 60000]],
    ['int8', [1, -5]],
    ['uint8', [1, 250]],
    ['bool', [1, 0]],
  ] as const)('passes %s in and out unchanged', async (dtype, values) => {
    const session = await executor.open(single('Identity', dtype));
    const x = fromNumbers(dtype, [2], values);
    expect((await session.run(new Map([['x', x]]))).get('y')).toEqual(x);
    const none = fromNumbers(dtype, [0], []);
    expect((await session.run(new Map([['x', none]]))).get('y')).toEqual(none);
  });

  it('passes strings in and out unchanged', async () => {
    const session = await executor.open(single('Identity', 'string'));
    const x = tensor('string', [3], ['a', '', 'ü → 𝄞']);
    expect((await session.run(new Map([['x', x]]))).get('y')).toEqual(x);
  });

  it('accepts scalars, and views into larger buffers', async () => {
    const b = buildGraph();
    b.output(b.add('Relu', [b.input('x', 'float32', [])], { name: 'y' }));
    const session = await executor.open(b.finish());
    const view = new Float32Array([9, 3, 9]).subarray(1, 2);
    expect((await session.run(new Map([['x', tensor('float32', [], view)]]))).get('y')).toEqual(floats([3], []));
  });

  it('copies nothing that a caller could change behind its back', async () => {
    const b = buildGraph();
    const x = b.input('x', 'float32', [2]);
    const c = b.constant('c', floats([5, 6]));
    b.output(x);
    b.output(c);
    b.output(b.add('Add', [x, c], { name: 'y' }));
    const session = await executor.open(b.finish());
    const given = floats([1, 2]);
    const first = await session.run(new Map([['x', given]]));
    for (const name of ['x', 'c']) (first.get(name) as Tensor<'float32'>).data.fill(99); // both are float32
    expect(given.data).toEqual(new Float32Array([1, 2]));
    const second = await session.run(new Map([['x', given]]));
    expect([...second.values()].map(({ data }) => data)).toEqual([
      new Float32Array([1, 2]),
      new Float32Array([5, 6]),
      new Float32Array([6, 8]),
    ]);
  });

  it.each<[string, ReadonlyMap<string, Tensor>, string]>([
    ['a missing input', new Map(), 'input "x": expected float32[n,2], found no feed of this name'],
    [
      'an unknown name',
      new Map([...rows(1, 2), ['X1', floats([1])]]),
      'input "X1": expected only the model\'s inputs (x), found a feed of another name. Did you mean "x"?',
    ],
    ['another dtype', new Map([['x', longs([1, 2], [1, 2])]]), 'expected float32[n,2], found int64[1,2]'],
    ['another rank', new Map([['x', floats([1, 2])]]), 'expected float32[n,2], found float32[2]'],
    ['another size', new Map([['x', floats([1, 2, 3], [1, 3])]]), 'expected float32[n,2], found float32[1,3]'],
    [
      'storage that does not fit',
      new Map([['x', { dtype: 'float32', shape: [1, 2], data: new Float32Array(1) } as const]]),
      'expected 2 stored elements for float32[1,2], found 1',
    ],
  ])('refuses %s, naming it', async (_what, feeds, message) => {
    const error = await failure((await executor.open(affine())).run(feeds));
    expect(error.code).toBe('EXECUTOR_INPUT');
    expect(error.message).toContain(message);
  });

  it.each([
    ['an op nobody knows', single('Foo', 'float32'), 'Foo'],
    ['an op of a foreign domain', single('acme::Foo', 'float32', { domain: 'acme' }), 'acme::Foo'],
    ['an op without a kernel for the type', single('Softmax', 'bfloat16'), undefined],
  ])('names %s', async (_what, graph, op) => {
    const error = await failure(executor.open(graph));
    if (op === undefined) {
      expect(error.code).toBe('EXECUTOR_UNSUPPORTED_TYPE');
      return;
    }
    expect(error.code).toBe('EXECUTOR_UNSUPPORTED_OP');
    expect(error.details['op']).toBe(op);
    expect(error.cause).toBeInstanceOf(Error);
  });

  it('names a kernel that is missing inside the graph', async () => {
    const b = buildGraph({ inputs: [], outputs: [], nodes: [], opsets: new Map([['', 21]]) });
    const wide = b.add('Cast', [b.input('x', 'float32', ['n'])], { attributes: { to: int(11) } });
    b.output(b.add('Cast', [b.add('Sinh', [wide], { name: 'e' })], { name: 'y', attributes: { to: int(1) } }));
    b.info('y', { dtype: 'float32', shape: ['n'] });
    const error = await failure(executor.open(b.finish()));
    expect([error.code, error.details['op'], error.details['node']]).toEqual([
      'EXECUTOR_UNSUPPORTED_OP',
      'Sinh',
      'e/Sinh',
    ]);
  });

  it('names the node whose types do not fit', async () => {
    const b = buildGraph();
    b.output(b.add('Relu', [b.input('x', 'bool', ['n'])], { name: 'y' }));
    const error = await failure(executor.open(b.finish()));
    expect([error.code, error.details['node']]).toEqual(['EXECUTOR_FAILED', 'y/Relu']);
    expect(error.message).toMatch(/^node "y\/Relu" \(Relu\): expected the runtime to load it, found/);
  });

  it('names the node that fails while running', async () => {
    const b = buildGraph();
    const x = b.input('x', 'float32', ['n', 'm']);
    b.output(b.add('MatMul', [x, b.constant('w', floats([1, 2], [2, 1]))], { name: 'y' }));
    const session = await executor.open(b.finish());
    const error = await failure(session.run(new Map([['x', floats([1, 2, 3], [1, 3])]])));
    expect([error.code, error.details['node']]).toEqual(['EXECUTOR_FAILED', 'y/MatMul']);
    expect(error.message).toMatch(
      /^node "y\/MatMul" \(MatMul\): expected the model to run, found .*dimension mismatch/,
    );
  });

  it('tries again after a graph failed to open', async () => {
    const graph = single('Foo', 'float32');
    expect((await failure(executor.open(graph))).code).toBe('EXECUTOR_UNSUPPORTED_OP');
    expect((await failure(executor.open(graph))).code).toBe('EXECUTOR_UNSUPPORTED_OP');
  });

  it('runs what is beside a sequence, and refuses to fetch the sequence', async () => {
    const b = buildGraph();
    const x = b.input('x', 'float32', [2]);
    b.output(b.add('SequenceConstruct', [x], { name: 's' }));
    b.info('s', { dtype: 'float32', container: ['sequence'] });
    b.output(b.add('Relu', [x], { name: 'y' }));
    const session = await executor.open(b.finish());
    const feeds = new Map([['x', floats([1, -1])]]);
    expect((await session.run(feeds, ['y'])).get('y')).toEqual(floats([1, 0]));
    expect([...(await session.run(feeds)).keys()]).toEqual(['y']);
    expect((await failure(session.run(feeds, ['s']))).code).toBe('EXECUTOR_UNSUPPORTED_TYPE');
  });

  it('closes every session with the executor, which can be used again', async () => {
    const other = createOnnxRuntime({ backend, threads: 1 });
    const graph = affine();
    const session = await other.open(graph);
    await other.close();
    expect((await failure(session.run(rows(1, 2)))).code).toBe('EXECUTOR_CLOSED');
    expect((await (await other.open(graph)).run(rows(1, 2))).size).toBe(1);
    await other.close();
  });
});
