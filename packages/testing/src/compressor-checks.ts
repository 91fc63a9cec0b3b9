import {
  type AnyPlugin,
  type Compressor,
  checkGraph,
  type Evidence,
  type Executor,
  type Graph,
  type Need,
} from '@espalier/core';
import { fingerprint } from './graph-fingerprint.js';
import { type Check, must } from './kit.js';
import { checkNotes } from './note-checks.js';
import { build, type PluginUnderTest } from './plugin-checks.js';
import type { SampleGraph } from './sample-graphs.js';
import { syntheticEvidence } from './synthetic-evidence.js';

/** Options of the kits for what compresses a graph: quantizers and prunings. */
export interface CompressorUnderTest extends PluginUnderTest {
  /** Graphs to try it on; the samples of this package when left out. */
  readonly graphs?: readonly SampleGraph[];
  /** Answers its needs; made-up statistics when left out, so statistics of third parties must be given here. */
  readonly evidence?: (graph: Graph, needs: readonly Need[]) => Evidence;
  /** Runs the compressed graphs, to see that they load. */
  readonly executor?: Executor;
}

/** Compresses a graph with the plugin under test. */
export function compressed(
  plugin: AnyPlugin<'quantizer' | 'pruning'>,
  graph: Graph,
  test: CompressorUnderTest,
): ReturnType<ReturnType<Compressor>['apply']> {
  const plan = build(plugin, test)(graph);
  return plan.apply((test.evidence ?? syntheticEvidence)(plan.graph, plan.needs));
}

/** The checks that quantizers and prunings have in common. */
export function compressorChecks(
  plugin: AnyPlugin<'quantizer' | 'pruning'>,
  { name, graph }: SampleGraph,
  test: CompressorUnderTest,
): readonly Check[] {
  const where = `${plugin.kind} ${plugin.id} on ${name}`;
  const run = () => compressed(plugin, graph, test);
  return [
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
    {
      name: `accounts for nodes that are there (${name})`,
      run() {
        const plan = build(plugin, test)(graph); // it may have prepared the graph
        checkNotes(run().notes, [graph, plan.graph], where);
      },
    },
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
}
