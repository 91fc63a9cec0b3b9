import {
  buildGraph,
  type DType,
  EspalierError,
  floats,
  fromNumbers,
  type Graph,
  instantiate,
  int,
  ints,
  longs,
  type Tensor,
  tensor,
} from '@espalier/core';
import { describeExecutor, runKit } from '@espalier/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { createTensorCore } from './create-tensor-core.js';
import { openHeap } from './heap.js';
import { tfjs } from './tfjs.js';

runKit(
  describeExecutor(() => createTensorCore()),
  { describe, it },
);

const executor = createTensorCore();
afterAll(() => executor.close());

/** One node between inputs x and an output y. */
const single = (
  op: string,
  inputs: readonly (readonly [DType, readonly (number | string)[]])[],
  attributes = {},
): Graph => {
  const b = buildGraph();
  const given = inputs.map(([dtype, shape], i) => b.input(`x${i}`, dtype, shape));
  b.output(b.add(op, given, { name: 'y', attributes }));
  return b.finish();
};

const failure = async (promise: Promise<unknown>): Promise<EspalierError> => {
  const found = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (found instanceof EspalierError) return found;
  throw new Error(`expected an EspalierError, got ${String(found)}`);
};

/** Convolution, batch norm, pooling and a product: forms of every kind. */
const net = (): Graph => {
  const b = buildGraph();
  const x = b.input('x', 'float32', ['n', 3, 8, 8]);
  const w = b.constant('w', floats(new Float32Array(8 * 27).fill(0.1), [8, 3, 3, 3]));
  const pooled = b.add('GlobalAveragePool', [b.add('Relu', [b.add('Conv', [x, w])])]);
  const flat = b.add('Flatten', [pooled]);
  const m = b.constant('m', floats(new Float32Array(80).fill(0.5), [8, 10]));
  b.output(b.add('Softmax', [b.add('MatMul', [flat, m])], { name: 'y' }));
  return b.finish();
};

describe('the executor on TensorFlow.js', () => {
  it('names its runtime', async () => {
    expect(await executor.describe()).toMatch(/^tfjs-backend-wasm 4\.\d+\.\d+$/);
    expect([executor.id, tfjs.kind, tfjs.id]).toEqual(['tfjs', 'executor', 'tfjs']);
    expect(() => instantiate(tfjs, { wasmPath: 'x' })).toThrow(/Did you mean "wasmPaths"/);
  });

  it('leaves no hooks for uncaught errors in the process', () => {
    const hooks = [...process.listeners('uncaughtException'), ...process.listeners('unhandledRejection')];
    expect(hooks.filter((hook) => String(hook).includes('ExitStatus'))).toEqual([]);
  });

  it('holds the same memory after thousands of runs, and none of the session after close', async () => {
    const heap = await openHeap('');
    const memory = () => heap.floats({ dataId: {}, pointer: 0, count: 0, holders: 0 }).buffer.byteLength;
    const session = await executor.open(net());
    const feeds = new Map([['x', floats(new Float32Array(2 * 192).fill(1), [2, 3, 8, 8])]]);
    const first = await session.run(feeds);
    const before = memory();
    for (let i = 0; i < 3000; i++) await session.run(feeds);
    expect(memory()).toBe(before);
    expect(await session.run(feeds)).toEqual(first);
    await session.close();
    expect((await failure(session.run(feeds))).code).toBe('EXECUTOR_CLOSED');
  });

  it('frees everything after a failure in the middle of a run', async () => {
    const b = buildGraph();
    const x = b.input('x', 'float32', ['n', 600]);
    const far = b.add('Gather', [b.add('Exp', [x]), b.input('i', 'int64', [1])], { attributes: { axis: int(1) } });
    b.output(far, 'y');
    const session = await executor.open(b.finish());
    const feeds = (index: number) =>
      new Map<string, Tensor>([
        ['x', floats(new Float32Array(1200), [2, 600])],
        ['i', longs([index])],
      ]);
    const error = await failure(session.run(feeds(600)));
    expect(error.code).toBe('EXECUTOR_FAILED');
    expect(error.message).toContain('indices within 600');
    expect((await session.run(feeds(-1))).get('y')).toEqual(floats([1, 1], [2, 1]));
  });

  it.each([
    ['float64', [1.5, -2]],
    ['float16', [1.5, -2]],
    ['int64', [1, -5]],
    ['int32', [1, -5]],
    ['uint32', [1, 2e9]],
    ['int8', [1, -5]],
    ['uint8', [1, 250]],
    ['bool', [1, 0]],
  ] as const)('passes %s through memory unchanged', async (dtype, values) => {
    const session = await executor.open(
      single(
        'Concat',
        [
          [dtype, ['n']],
          [dtype, ['m']],
        ],
        { axis: int(0) },
      ),
    );
    const many = fromNumbers(
      dtype,
      [40_000],
      Array.from({ length: 40_000 }, (_, i) => values[i % 2]!),
    );
    const y = (
      await session.run(
        new Map([
          ['x0', many],
          ['x1', many],
        ]),
      )
    ).get('y')!;
    expect([y.dtype, y.shape]).toEqual([dtype, [80_000]]);
    expect(y).toEqual(
      fromNumbers(
        dtype,
        [80_000],
        Array.from({ length: 80_000 }, (_, i) => values[i % 2]!),
      ),
    );
  });

  it('says which integers do not fit its 32 bits', async () => {
    const session = await executor.open(single('Concat', [['int64', ['n']]], { axis: int(0) }));
    const many = tensor('int64', [70_000], new BigInt64Array(70_000).fill(2n ** 40n));
    const error = await failure(session.run(new Map([['x0', many]])));
    expect(error.code).toBe('EXECUTOR_RANGE');
    expect(error.message).toContain('1099511627776');
  });

  it('says that memory is used up, and goes on', async () => {
    const session = await executor.open(
      single('Expand', [
        ['float32', ['n']],
        ['int64', ['r']],
      ]),
    );
    const feeds = (...shape: number[]) =>
      new Map<string, Tensor>([
        ['x0', floats([3])],
        ['x1', longs(shape)],
      ]);
    expect((await failure(session.run(feeds(2 ** 20, 2 ** 12)))).code).toBe('EXECUTOR_MEMORY');
    expect((await session.run(feeds(2))).get('y')).toEqual(floats([3, 3]));
  });

  it('refuses ops without a kernel, unknown outputs and strings', async () => {
    const sizes = [
      [2, 3, 4],
      [1, 8, 4],
      [1, 8, 2],
    ].map((shape) => ['float32', shape] as const);
    expect(await failure(executor.open(single('LSTM', sizes, { hidden_size: int(2) })))).toMatchObject({
      code: 'EXECUTOR_UNSUPPORTED_OP',
      details: { op: 'LSTM' },
    });
    expect((await failure(executor.open(single('Identity', [['string', [1]]])))).code).toBe(
      'EXECUTOR_UNSUPPORTED_TYPE',
    );
    const pool = await executor.open(
      single('MaxPool', [['float32', [1, 1, 2, 2, 2]]], { kernel_shape: ints([1, 1, 1]) }),
    );
    const cube = new Map([['x0', floats(new Float32Array(8), [1, 1, 2, 2, 2])]]);
    expect((await failure(pool.run(cube))).message).toContain('3 spatial axes');
    const session = await executor.open(net());
    const wrong = await failure(session.run(new Map([['x', floats(new Float32Array(192), [1, 3, 8, 8])]]), ['Y']));
    expect(wrong.message).toContain('Did you mean "y"?');
  });
});
