import { buildGraph, type Collector, definePlugin, floats, type Need, toFloats } from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { afterAll, describe, expect, it } from 'vitest';
import { describeStatistic, failuresOf, runKit, type StatisticExample } from './index.js';

declare module '@espalier/core' {
  interface Statistics {
    kitLargest: { ask: { value: string }; answer: number };
  }
}

const executor = createOnnxRuntime({ threads: 1 });
afterAll(() => executor.close());

/** The largest absolute value. `add` is what it does with that of a batch. */
const largest = (add: (before: number, now: number) => number = Math.max) =>
  definePlugin({
    kind: 'statistic',
    id: 'kitLargest',
    about: 'The largest absolute value.',
    options: {},
    create: (): Collector<'kitLargest'> => ({
      values: ({ value }) => [value],
      probe({ value }, statistics) {
        let found = 0;
        return {
          fetch: [statistics.reduce('ReduceMax', statistics.builder.add('Abs', [statistics.asFloat(value)]))],
          add([batch]) {
            found = add(found, toFloats(batch!)[0]!);
          },
          answer: () => found,
        };
      },
    }),
  });

const b = buildGraph();
b.output(b.add('Neg', [b.input('x', 'float32', ['batch', 2])], { name: 'y' }));
const need = { statistic: 'kitLargest', value: 'y' } as const satisfies Need;
const example: StatisticExample = {
  name: 'three pairs',
  graph: b.finish(),
  feeds: new Map([['x', floats([3, -5, 1, 0, 2, 4], [3, 2])]]),
  need,
  answer: 5,
};

runKit(describeStatistic(largest(), { executor, examples: [example] }), { describe, it });

describe('the kit of statistics catches one that', () => {
  const failing = async (plugin = largest(), more: Partial<StatisticExample> = {}) =>
    (await failuresOf(describeStatistic(plugin, { executor, examples: [{ ...example, ...more }] }))).map(
      (line) => line.slice('statistic kitLargest: '.length).split(/ \(|: /)[0],
    );
  const [known, cut] = ['gives the answer that is known', 'does not depend on how samples are cut into batches'];

  it('answers something else', async () => {
    expect(await failing(largest(), { answer: 4 })).toEqual([known, cut]);
    expect(await failing(largest(), { answer: [5] })).toEqual([known, cut]);
  });

  it('keeps the last batch alone', async () => {
    expect(await failing(largest((_, now) => now))).toEqual([cut]);
  });

  it('adds up what it should not', async () => {
    expect(await failing(largest((before, now) => before + now))).toEqual([cut]);
  });

  it('is asked for something else', async () => {
    expect(await failing(largest(), { need: { statistic: 'range', value: 'y' } })).toContain(
      'reads values that the graph has, and changes nothing',
    );
  });
});
