import {
  type AnyPlugin,
  type Executor,
  fromNumbers,
  type Graph,
  type Loss,
  longs,
  type Port,
  type Tensor,
  toNumbers,
  type ValueId,
  type ValueInfo,
} from '@espalier/core';
import { fingerprint } from './graph-fingerprint.js';
import { type Check, type Kit, must } from './kit.js';
import { build, type PluginUnderTest, pluginChecks } from './plugin-checks.js';
import { randomFeeds } from './random-feeds.js';
import { allFinite, appended, smallNetwork } from './step-graph.js';

/** Options of the kit for losses. */
export interface LossUnderTest extends PluginUnderTest {
  /** A network with one output to append the loss to. Default: x [batch, 4] -> h [batch, 5] -> y [batch, 3]. */
  readonly graph?: Graph;
  /** Runs the loss, to see that it is one finite number, the mean over the batch. */
  readonly executor?: Executor;
}

/** The contract of losses: append to a graph, return a float32 scalar, the mean over the batch. */
export function describeLoss(plugin: AnyPlugin<'loss'>, test: LossUnderTest = {}): Kit {
  const where = `loss ${plugin.id}`;
  const network = test.graph ?? smallNetwork();
  const staged = () => stage(network, build(plugin, test), where);
  const checks: Check[] = [
    {
      name: 'appends a float32 scalar to the graph, and changes nothing else',
      run() {
        const { graph, loss } = staged();
        const info = graph.values.get(loss);
        must(info?.dtype === 'float32' && info.shape?.length === 0, where, {
          expected: 'a float32 value of shape []',
          found: info ?? 'a value of unknown type',
        });
      },
    },
    {
      name: 'appends the same nodes every time',
      run() {
        const [first, second] = [staged(), staged()].map(({ graph }) => fingerprint(graph));
        must(first === second, where, { expected: 'equal graphs', found: 'different ones' });
      },
    },
    {
      name: 'takes from a teacher what its further inputs need',
      run() {
        const loss = build(plugin, test);
        const inputs = [...(loss.inputs?.(siteOf(network)) ?? new Map()).keys()];
        const strange = [...(loss.teacher ?? new Map()).keys()].find((name) => !inputs.includes(name));
        must(strange === undefined, `${where}, teacher`, {
          expected: `its inputs (${inputs.join(', ')})`,
          found: strange,
        });
      },
    },
  ];
  const { executor } = test;
  if (executor) {
    checks.push({
      name: 'is one finite number, the mean over the batch',
      async run() {
        const { graph, loss } = staged();
        const session = await executor.open({ ...graph, outputs: [loss] });
        const feeds = feedsOf(session.inputs, network);
        const [once, twice] = [await session.run(feeds), await session.run(repeated(feeds))];
        const [one, two] = [once.get(loss)!, twice.get(loss)!]; // the only output
        must(one.data.length === 1 && allFinite(one), where, { expected: 'a finite number', found: toNumbers(one) });
        const [a, b] = [toNumbers(one)[0]!, toNumbers(two)[0]!];
        must(Math.abs(a - b) <= 1e-4 * Math.max(1, Math.abs(a)), `${where}, a batch with every sample twice`, {
          expected: `the loss of the batch with every sample once, ${a}`,
          found: b,
        });
      },
    });
  }
  return { about: where, checks: [...pluginChecks(plugin, test), ...checks] };
}

const siteOf = (network: Graph) => ({
  output: infoOf(network, network.outputs[0]!),
  info: (value: ValueId) => network.values.get(value),
});
const infoOf = (graph: Graph, value: ValueId): ValueInfo => graph.values.get(value)!; // the network has its types

function stage(network: Graph, loss: Loss, where: string): { readonly graph: Graph; readonly loss: ValueId } {
  const site = siteOf(network);
  const further = new Map([['target', loss.target?.(site) ?? site.output], ...(loss.inputs?.(site) ?? [])]);
  const base: Graph = {
    ...network,
    inputs: [...network.inputs, ...further.keys()],
    values: new Map([...network.values, ...further]),
  };
  const inputs = new Map([...further.keys()].filter((name) => name !== 'target').map((name) => [name, name]));
  const { graph, made } = appended(base, where, (builder) =>
    loss.build(builder, { output: network.outputs[0]!, target: 'target', inputs }),
  );
  return { graph, loss: made };
}

/** Classes below the number of logits for whole numbers, normal numbers for the others. */
function feedsOf(ports: readonly Port[], network: Graph): ReadonlyMap<string, Tensor> {
  const classes = Number(infoOf(network, network.outputs[0]!).shape?.[1] ?? 2);
  const feeds = new Map(randomFeeds(ports, { batch: 4 }));
  for (const [name, { dtype, shape, data }] of feeds)
    if (dtype === 'int64')
      feeds.set(
        name,
        longs(
          Array.from(data, (_, i) => i % classes),
          shape,
        ),
      );
  return feeds;
}

/** Every tensor twice along its first axis. */
const repeated = (feeds: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> =>
  new Map(
    [...feeds].map(([name, tensor]) => {
      const [first = 1, ...rest] = tensor.shape;
      const shape = [2 * first, ...rest];
      const numbers = [...toNumbers(tensor), ...toNumbers(tensor)];
      return [name, fromNumbers(tensor.dtype, shape, numbers)];
    }),
  );
