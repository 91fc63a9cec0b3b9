import {
  type AnyPlugin,
  checkGraph,
  type Dataset,
  type Executor,
  floats,
  type Graph,
  indexOf,
  longs,
  type Tensor,
  type Trained,
  type TrainerContext,
  type TrainingEvent,
  toNumbers,
} from '@espalier/core';
import { fingerprint } from './graph-fingerprint.js';
import { type Check, type Kit, must } from './kit.js';
import { build, type PluginUnderTest, pluginChecks } from './plugin-checks.js';
import { allFinite, smallNetwork } from './step-graph.js';
import { syntheticEvidence } from './synthetic-evidence.js';

/** Options of the kit for trainers. */
export interface TrainerUnderTest extends PluginUnderTest {
  /** Runs the training steps. */
  readonly executor: Executor;
  /** Further facts of the run: a teacher, other data. Default: 96 samples of three classes for a small network. */
  readonly context?: Partial<TrainerContext>;
  /** The network to train. Default: x [batch, 4] -> y [batch, 3]. */
  readonly graph?: Graph;
}

/** The contract of trainers: train weights and nothing else, the same for the same seed, and stop when asked to. */
export function describeTrainer(plugin: AnyPlugin<'trainer'>, test: TrainerUnderTest): Kit {
  const where = `trainer ${plugin.id}`;
  const graph = test.graph ?? smallNetwork();
  const train = (more: Partial<TrainerContext> = {}): Promise<Trained> =>
    build(plugin, test).train(graph, {
      training: threeClasses(),
      evaluation: threeClasses(),
      executor: test.executor,
      seed: 1,
      evidence: async (model, needs) => syntheticEvidence(model, needs),
      ...test.context,
      ...more,
    });
  const checks: readonly Check[] = [
    {
      name: 'does not change the graph it is given, and changes weights alone',
      async run() {
        const before = fingerprint(graph);
        const trained = checkGraph((await train()).graph);
        must(fingerprint(graph) === before, where, { expected: 'the graph as it was', found: 'a changed argument' });
        const changes = build(plugin, test).changesGraph === true;
        must(changes || formOf(trained) === formOf(graph), where, {
          expected: 'the same nodes, inputs and outputs, and constants of the same shapes',
          found: 'another graph',
        });
        const ends = (of: Graph) => JSON.stringify([of.inputs, of.outputs]);
        must(ends(trained) === ends(graph), where, {
          expected: `inputs and outputs ${ends(graph)}`,
          found: ends(trained),
        });
        for (const [name, tensor] of trained.constants)
          must(allFinite(tensor), `${where}, constant ${name}`, { expected: 'finite numbers', found: 'others' });
      },
    },
    {
      name: 'gives the same weights for the same seed',
      async run() {
        const [first, second] = [await train(), await train()].map((each) => fingerprint(each.graph.constants));
        must(first === second, where, { expected: 'equal weights', found: 'different ones' });
      },
    },
    {
      name: 'gives an account of finite losses, metrics of the evaluation, and notes',
      async run() {
        const { graph: trained, history, metrics, notes = [], steps, reason } = await train();
        const losses = history.map(({ loss }) => loss);
        must(losses.every(Number.isFinite), `${where}, history`, { expected: 'finite losses', found: losses });
        must(Number.isInteger(steps) && steps >= 0, `${where}, steps`, { expected: 'a whole number', found: steps });
        must(reason !== 'cancelled', `${where}, reason`, { expected: 'an end of its own', found: reason });
        must(metrics !== undefined, `${where}, metrics`, { expected: 'those of the evaluation data', found: 'none' });
        for (const { node, reason: text } of notes) {
          const known = node === undefined || [graph, trained].some((each) => indexOf(each).node.has(node));
          must(known && text.trim().length > 8, `${where}, notes`, {
            expected: 'sentences about its nodes',
            found: text,
          });
        }
      },
    },
    {
      name: 'keeps to masks of zeros and ones, with zero weights where they are zero',
      async run() {
        const { graph: trained, masks } = await train();
        for (const [name, mask] of masks) checkMask(`${where}, mask of ${name}`, mask, trained.constants.get(name));
      },
    },
    {
      name: 'reports its start, and steps that count up',
      async run() {
        const events: TrainingEvent[] = [];
        await train({ events: (event) => void events.push(event) });
        const steps = events.flatMap((event) => (event.event === 'step' ? [event.step] : []));
        must(events[0]?.event === 'start', `${where}, events`, { expected: 'a start first', found: events[0]?.event });
        must(
          steps.every((step, i) => i === 0 || step > steps[i - 1]!),
          `${where}, events`,
          {
            expected: 'steps that count up',
            found: steps,
          },
        );
      },
    },
    {
      name: 'stops when its signal is aborted, and says so',
      async run() {
        const stop = new AbortController();
        const { reason, steps } = await train({
          signal: stop.signal,
          events: ({ event }) => event === 'step' && stop.abort(),
        });
        // A trainer without steps has ended by itself before.
        must(steps === 0 || reason === 'cancelled', `${where}, a run that is cancelled at its first step`, {
          expected: 'reason "cancelled"',
          found: `"${reason}" after ${steps} steps`,
        });
      },
    },
  ];
  return { about: where, checks: [...pluginChecks(plugin, test), ...checks] };
}

/** 96 samples of which the largest of the first three numbers is the class. */
function threeClasses(): Dataset {
  const size = 96;
  const values = (index: number) => Array.from({ length: 4 }, (_, i) => Math.sin(7 * index + 3 * i + 1));
  const classOf = (index: number) => {
    const [a = 0, b = 0, c = 0] = values(index);
    return a > Math.max(b, c) ? 0 : b > c ? 1 : 2;
  };
  return {
    name: 'three classes',
    size,
    classes: ['first', 'second', 'third'],
    fields: new Map([
      ['x', { dtype: 'float32', shape: [4] }],
      ['label', { dtype: 'int64', shape: [] }],
    ]),
    read: async (indices) =>
      new Map<string, Tensor>([
        ['x', floats(indices.flatMap(values), [indices.length, 4])],
        ['label', longs(indices.map(classOf))],
      ]),
  };
}

/** Everything of a graph but the numbers in its constants. */
const formOf = ({ inputs, outputs, nodes, constants }: Graph): string =>
  fingerprint([inputs, outputs, nodes, [...constants].map(([name, { dtype, shape }]) => [name, dtype, shape])]);

function checkMask(where: string, mask: Tensor, weight: Tensor | undefined): void {
  const numbers = toNumbers(mask);
  must(weight !== undefined && weight.shape.join() === mask.shape.join(), where, {
    expected: 'the shape of a weight',
    found: mask.shape,
  });
  must(
    numbers.every((each) => each === 0 || each === 1),
    where,
    { expected: 'zeros and ones', found: 'other numbers' },
  );
  const weights = weight ? toNumbers(weight) : [];
  must(
    weights.every((value, i) => value === 0 || numbers[i] === 1),
    where,
    {
      expected: 'zero weights where the mask is zero',
      found: 'others',
    },
  );
}
