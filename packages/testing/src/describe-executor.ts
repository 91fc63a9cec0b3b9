import { type Executor, floats, fromNumbers, type Session, type Tensor, toNumbers } from '@espalier/core';
import { type ExecutorCase, executorCases } from './executor-cases.js';
import { fingerprint } from './graph-fingerprint.js';
import { type Check, type Kit, must, mustFail } from './kit.js';
import { loopChecks } from './loop-checks.js';

/** Options of the kit for executors. */
export interface ExecutorUnderTest {
  /** Further graphs with known outputs. */
  readonly cases?: readonly ExecutorCase[];
  /** Largest difference that rounding explains. Default: 1e-5. */
  readonly tolerance?: number;
}

/** The contract of executors: compute as ONNX defines, refuse wrong inputs, and keep its memory to itself. */
export function describeExecutor(
  create: () => Executor,
  { cases = [], tolerance = 1e-5 }: ExecutorUnderTest = {},
): Kit {
  const known = executorCases();
  const two = known.at(-1)!;
  const using = (name: string, run: (executor: Executor) => Promise<void>): Check => ({
    name,
    async run() {
      const executor = create();
      try {
        await run(executor);
      } finally {
        await executor.close();
      }
    },
  });
  const opened = (name: string, run: (session: Session, executor: Executor) => Promise<void>): Check =>
    using(name, async (executor) => run(await executor.open(two.graph), executor));
  const { id } = create();
  return {
    about: `executor ${id}`,
    checks: [
      using('names its runtime and version', async (executor) => {
        const text = await executor.describe();
        must(/[a-z].*\d/i.test(text), id, { expected: 'a name and a version', found: text });
      }),
      ...[...known, ...cases].map((each) => using(each.name, (executor) => compute(executor, each, tolerance))),
      opened('tells the inputs and outputs of a session', async ({ inputs, outputs }) => {
        const ports = [inputs, outputs].map((list) => list.map(({ name, dtype }) => `${name}:${dtype}`).join());
        must(ports.join(' ') === 'x:float32,z:float32 add:float32,sub:float32', id, {
          expected: 'x, z, add and sub',
          found: ports,
        });
      }),
      opened('fetches only what is asked for', async (session) => {
        const names = [...(await session.run(two.feeds, ['sub'])).keys()];
        must(names.join() === 'sub', id, { expected: 'sub', found: names });
      }),
      opened('gives the same session for the same graph', async (session, executor) => {
        must((await executor.open(two.graph)) === session, id, {
          expected: 'the session that is open',
          found: 'another',
        });
        must((await executor.open({ ...two.graph })) !== session, id, {
          expected: 'another session for another graph',
          found: 'the same',
        });
      }),
      opened('leaves feeds as they are, and results to the caller', async (session) => {
        const before = fingerprint(two.feeds);
        const first = await session.run(two.feeds);
        must(fingerprint(two.feeds) === before, id, { expected: 'feeds as they were', found: 'changed ones' });
        (first.get('add')!.data as Float32Array).fill(0); // the caller owns it, and it is float32
        const second = await session.run(two.feeds);
        must(toNumbers(second.get('add')!).join() === '11,22', id, {
          expected: '11,22',
          found: toNumbers(second.get('add')!),
        });
      }),
      opened('runs several times at once', async (session) => {
        const many = await Promise.all(
          [1, 2, 3, 4].map((x) => session.run(new Map([...two.feeds, ['x', floats([x, x])]]), ['add'])),
        );
        const sums = many.map((each) => toNumbers(each.get('add')!)[0]);
        must(sums.join() === '11,12,13,14', id, { expected: '11,12,13,14', found: sums });
      }),
      opened('refuses wrong inputs', async (session) => {
        const x = floats([1, 2]);
        const wrong: Readonly<Record<string, readonly (readonly [string, Tensor])[]>> = {
          'a missing input': [['x', x]],
          'an unknown input': [...two.feeds, ['w', x]],
          'another dtype': [...two.feeds, ['x', fromNumbers('int32', [2], [1, 2])]],
          'another size': [...two.feeds, ['x', floats([1, 2, 3])]],
          'another rank': [...two.feeds, ['x', floats([1, 2], [1, 2])]],
        };
        for (const [name, feeds] of Object.entries(wrong)) {
          await mustFail('EXECUTOR_INPUT', `${id}, ${name}`, () => session.run(new Map(feeds)));
        }
        await mustFail('EXECUTOR_*', `${id}, an unknown output`, () => session.run(two.feeds, ['nothing']));
      }),
      ...loopChecks(id, opened),
      opened('can be closed more than once, and opens the graph again afterwards', async (session, executor) => {
        await session.close();
        await session.close();
        const again = await (await executor.open(two.graph)).run(two.feeds);
        must(toNumbers(again.get('add')!).join() === '11,22', id, {
          expected: '11,22',
          found: toNumbers(again.get('add')!),
        });
        await executor.close();
      }),
    ],
  };
}

async function compute(
  executor: Executor,
  { name, graph, feeds, wanted }: ExecutorCase,
  tolerance: number,
): Promise<void> {
  const where = `${executor.id} ${name}`;
  for (const optimize of [true, false]) {
    const results = await (await executor.open(graph, { optimize })).run(feeds);
    must([...results.keys()].join() === [...wanted.keys()].join(), where, {
      expected: [...wanted.keys()].join(),
      found: [...results.keys()].join(),
    });
    for (const [output, { dtype, shape, values }] of wanted) {
      const tensor = results.get(output)!;
      must(tensor.dtype === dtype && tensor.shape.join() === shape.join(), `${where}, output ${output}`, {
        expected: `${dtype}[${shape}]`,
        found: `${tensor.dtype}[${tensor.shape}]`,
      });
      const found = toNumbers(tensor);
      const near = values.every((value, i) => Math.abs(value - found[i]!) <= tolerance * Math.max(1, Math.abs(value)));
      must(near, `${where}, output ${output}`, { expected: values.join(), found: found.join() });
    }
  }
}
