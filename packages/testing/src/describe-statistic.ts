import { calibrate } from '@espalier/calibration';
import {
  type AnyPlugin,
  type Executor,
  fromNumbers,
  type Graph,
  type Need,
  shown,
  type Tensor,
  toNumbers,
} from '@espalier/core';
import { fingerprint } from './graph-fingerprint.js';
import { type Check, type Kit, must } from './kit.js';
import { build, type PluginUnderTest, pluginChecks } from './plugin-checks.js';

/** A need whose answer is known. */
export interface StatisticExample {
  readonly name: string;
  readonly graph: Graph;
  /** Samples along the first axis of each input; at least two. */
  readonly feeds: ReadonlyMap<string, Tensor>;
  /** A need of the statistic under test. */
  readonly need: Need;
  /** The answer, by hand or by another program: numbers, lists of numbers, or an object of them. */
  readonly answer: unknown;
}

/** Options of the kit for statistics. */
export interface StatisticUnderTest extends PluginUnderTest {
  readonly executor: Executor;
  readonly examples: readonly StatisticExample[];
  /** Largest difference of a number that rounding explains, relative to the larger one. Default: 1e-5. */
  readonly tolerance?: number;
}

const names = { pattern: /^[a-z][a-zA-Z0-9]*$/, like: '`acmeLargest`, one word with the prefix of its author' };

/** The contract of statistics: the answer known by hand, however the samples are cut into batches. */
export function describeStatistic(plugin: AnyPlugin<'statistic'>, test: StatisticUnderTest): Kit {
  return {
    about: `statistic ${plugin.id}`,
    checks: [
      ...pluginChecks(plugin, test, names),
      ...test.examples.flatMap((example) => checksOn(plugin, example, test)),
    ],
  };
}

function checksOn(
  plugin: AnyPlugin<'statistic'>,
  example: StatisticExample,
  test: StatisticUnderTest,
): readonly Check[] {
  const { name, graph, feeds, need, answer } = example;
  const where = `statistic ${plugin.id} on ${name}`;
  const samples = Math.min(...[...feeds.values()].map(({ shape }) => shape[0] ?? 0));
  const found = async (sizes: readonly number[]) => {
    const evidence = await calibrate(graph, [need], {
      executor: test.executor,
      batches: () => batches(feeds, sizes),
      collectors: { [plugin.id]: build(plugin, test) },
    });
    return evidence.find(need);
  };
  const alike = (got: unknown, wanted: unknown, of: string) =>
    must(near(got, wanted, test.tolerance ?? 1e-5), `${where}, ${of}`, {
      expected: shown(wanted),
      found: got,
    });
  return [
    {
      name: `reads values that the graph has, and changes nothing (${name})`,
      async run() {
        must(need.statistic === plugin.id, where, { expected: `a need of ${plugin.id}`, found: need.statistic });
        const before = fingerprint(graph);
        await found([samples]);
        must(fingerprint(graph) === before, where, { expected: 'the graph as it was', found: 'a changed argument' });
      },
    },
    {
      name: `gives the answer that is known (${name})`,
      run: async () => alike(await found([samples]), answer, 'all samples in one batch'),
    },
    {
      name: `does not depend on how samples are cut into batches (${name})`,
      async run() {
        alike(await found(Array.from({ length: samples }, () => 1)), answer, 'one sample a batch');
        if (samples > 2) alike(await found([1, samples - 1]), answer, 'an uneven last batch');
      },
    },
  ];
}

async function* batches(feeds: ReadonlyMap<string, Tensor>, sizes: readonly number[]) {
  let from = 0;
  for (const size of sizes) {
    yield new Map([...feeds].map(([input, tensor]) => [input, samplesOf(tensor, from, size)] as const));
    from += size;
  }
}

function samplesOf(tensor: Tensor, from: number, size: number): Tensor {
  const [all = 1, ...rest] = tensor.shape;
  const each = toNumbers(tensor).length / all;
  return fromNumbers(tensor.dtype, [size, ...rest], [...toNumbers(tensor).slice(from * each, (from + size) * each)]);
}

/** Whether two answers are alike: numbers within the tolerance, lists and objects part by part. */
function near(a: unknown, b: unknown, tolerance: number): boolean {
  if (typeof a === 'number' && typeof b === 'number') {
    return Object.is(a, b) || Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b));
  }
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b) return a === b;
  const [left, right] = [Object.entries(a), Object.entries(b)];
  return (
    left.length === right.length &&
    left.every(([key, value], i) => right[i]![0] === key && near(value, right[i]![1], tolerance)) // of one length
  );
}
