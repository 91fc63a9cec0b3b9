import {
  type AnyPlugin,
  checkGraph,
  type Evidence,
  type Executor,
  type Graph,
  type Need,
  toFloats,
} from '@espalier/core';
import { fingerprint } from './graph-fingerprint.js';
import { type Check, type Kit, must } from './kit.js';
import { checkNotes } from './note-checks.js';
import { build, type PluginUnderTest, pluginChecks } from './plugin-checks.js';
import { randomFeeds } from './random-feeds.js';
import { type SampleGraph, sampleGraphs } from './sample-graphs.js';
import { syntheticEvidence } from './synthetic-evidence.js';

/** Options of the kit for quantizers. */
export interface QuantizerUnderTest extends PluginUnderTest {
  /** Graphs to try it on; the samples of this package when left out. */
  readonly graphs?: readonly SampleGraph[];
  /** Answers its needs; made-up statistics when left out, so statistics of third parties must be given here. */
  readonly evidence?: (graph: Graph, needs: readonly Need[]) => Evidence;
  /** Runs the quantized graphs, to see that they load and stay near the float ones. */
  readonly executor?: Executor;
  /** Least signal-to-noise ratio of an output, in dB, when there is an executor. Default: 3. */
  readonly leastSnrDb?: number;
}

/** The contract of quantizers: keep the argument and the interface of the graph, and return a note for each node. */
export function describeQuantizer(plugin: AnyPlugin<'quantizer'>, test: QuantizerUnderTest = {}): Kit {
  const graphs = test.graphs ?? sampleGraphs();
  return {
    about: `quantizer ${plugin.id}`,
    checks: [...pluginChecks(plugin, test), ...graphs.flatMap((sample) => checksOn(plugin, sample, test))],
  };
}

function checksOn(
  plugin: AnyPlugin<'quantizer'>,
  { name, graph }: SampleGraph,
  test: QuantizerUnderTest,
): readonly Check[] {
  const where = `quantizer ${plugin.id} on ${name}`;
  const run = () => {
    const plan = build(plugin, test)(graph);
    return plan.apply((test.evidence ?? syntheticEvidence)(plan.graph, plan.needs));
  };
  const checks: Check[] = [
    {
      name: `does not change the graph it is given (${name})`,
      run() {
        const before = fingerprint(graph);
        run();
        must(fingerprint(graph) === before, where, { expected: 'the graph as it was', found: 'a changed argument' });
      },
    },
    {
      name: `gives a sound graph with the same inputs and outputs (${name})`,
      run() {
        const after = checkGraph(run().graph);
        const ports = (each: Graph) =>
          fingerprint(
            [each.inputs, each.outputs].map((values) => values.map((value) => [value, each.values.get(value)?.dtype])),
          );
        must(ports(after) === ports(graph), where, { expected: ports(graph), found: ports(after) });
      },
    },
    {
      name: `gives the same result every time (${name})`,
      run() {
        const [first, second] = [run(), run()].map(fingerprint);
        must(first === second, where, { expected: 'equal outcomes', found: 'different ones' });
      },
    },
    { name: `accounts for nodes that are there (${name})`, run: () => checkNotes(run().notes, graph, where) },
    {
      name: `leaves ops it does not know as they are (${name})`,
      run() {
        const after = new Map(run().graph.nodes.map((node) => [node.id, node]));
        for (const node of graph.nodes) {
          if (!node.op.includes('::')) continue;
          const kept = after.get(node.id);
          must(kept?.op === node.op && fingerprint(kept.attributes) === fingerprint(node.attributes), where, {
            expected: `node "${node.id}" (${node.op}) as it was`,
            found: kept?.op ?? 'nothing',
          });
        }
      },
    },
  ];
  const { executor, leastSnrDb = 3 } = test;
  // Nobody can run an op that nobody knows.
  if (executor && !graph.nodes.some(({ op }) => op.includes('::'))) {
    checks.push({
      name: `runs, and stays near the float graph (${name})`,
      run: () => nearby([graph, run().graph], { executor, leastSnrDb, where }),
    });
  }
  return checks;
}

async function nearby(
  [before, after]: readonly [Graph, Graph],
  { executor, leastSnrDb, where }: { readonly executor: Executor; readonly leastSnrDb: number; readonly where: string },
): Promise<void> {
  const [first, second] = [await executor.open(before), await executor.open(after)];
  const feeds = randomFeeds(first.inputs, { batch: 8 });
  const [wanted, got] = [await first.run(feeds), await second.run(feeds)];
  for (const [name, tensor] of wanted) {
    const [a, b] = [toFloats(tensor), toFloats(got.get(name)!)]; // outputs are the same, as another check says
    const signal = a.reduce((sum, value) => sum + value ** 2, 0);
    const noise = a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0);
    const snrDb = noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
    must(snrDb >= leastSnrDb, `${where}, output ${name}`, {
      expected: `a signal-to-noise ratio of ${leastSnrDb} dB or more`,
      found: snrDb,
    });
  }
}
