import { type AnyPlugin, checkGraph, type Executor, type Graph, printGraph, toFloats } from '@espalier/core';
import { fingerprint } from './graph-fingerprint.js';
import { type Check, type Kit, must } from './kit.js';
import { checkNotes } from './note-checks.js';
import { build, type PluginUnderTest, pluginChecks } from './plugin-checks.js';
import { randomFeeds } from './random-feeds.js';
import { type SampleGraph, sampleGraphs } from './sample-graphs.js';

/** Options of the kit for passes. */
export interface PassUnderTest extends PluginUnderTest {
  /** Graphs to try it on; the samples of this package when left out. */
  readonly graphs?: readonly SampleGraph[];
  /** Runs the graphs before and after, to see that the function is the same. */
  readonly executor?: Executor;
  /** Largest difference of an output that rounding explains. Default: 1e-4. */
  readonly tolerance?: number;
}

const mostRuns = 32;

/** The contract of passes: keep the argument, the interface and the function of the graph, and settle. */
export function describePass(plugin: AnyPlugin<'pass'>, test: PassUnderTest = {}): Kit {
  const graphs = test.graphs ?? sampleGraphs();
  return {
    about: `pass ${plugin.id}`,
    checks: [...pluginChecks(plugin, test), ...graphs.flatMap((sample) => checksOn(plugin, sample, test))],
  };
}

function checksOn(plugin: AnyPlugin<'pass'>, { name, graph }: SampleGraph, test: PassUnderTest): readonly Check[] {
  const where = `pass ${plugin.id} on ${name}`;
  const run = (given: Graph) => build(plugin, test)(given);
  const checks: Check[] = [
    {
      name: `does not change the graph it is given (${name})`,
      run() {
        const before = fingerprint(graph);
        run(graph);
        must(fingerprint(graph) === before, where, { expected: 'the graph as it was', found: 'a changed argument' });
      },
    },
    {
      name: `gives a sound graph with the same inputs and outputs (${name})`,
      run() {
        const after = checkGraph(run(graph));
        must(fingerprint([after.inputs, after.outputs]) === fingerprint([graph.inputs, graph.outputs]), where, {
          expected: `inputs ${graph.inputs} and outputs ${graph.outputs}`,
          found: `inputs ${after.inputs} and outputs ${after.outputs}`,
        });
      },
    },
    {
      name: `gives the same result every time (${name})`,
      run() {
        const [first, second] = [run(graph), run(graph)].map(fingerprint);
        must(first === second, where, { expected: 'equal graphs', found: 'different ones' });
      },
    },
    {
      name: `settles, and then gives the very same object back (${name})`,
      run() {
        let last = graph;
        for (let i = 0; i < mostRuns; i++) {
          const next = run(last);
          if (next === last) return;
          must(fingerprint(next) !== fingerprint(last), where, {
            expected: 'the same object when nothing changed',
            found: `an equal copy of\n${printGraph(last)}`,
          });
          last = next;
        }
        must(false, where, { expected: `no change after ${mostRuns} runs`, found: 'another change each time' });
      },
    },
    {
      name: `explains itself by sentences about nodes that are there (${name})`,
      run() {
        const pass = build(plugin, test);
        const after = pass(graph);
        checkNotes(pass.explain?.(graph, after) ?? [], [graph, after], where);
      },
    },
  ];
  const { executor, tolerance = 1e-4 } = test;
  // Nobody can run an op that nobody knows.
  if (executor && !graph.nodes.some(({ op }) => op.includes('::'))) {
    checks.push({
      name: `keeps what the graph computes (${name})`,
      run: () => sameFunction([graph, run(graph)], { executor, tolerance, where }),
    });
  }
  return checks;
}

async function sameFunction(
  [before, after]: readonly [Graph, Graph],
  { executor, tolerance, where }: { readonly executor: Executor; readonly tolerance: number; readonly where: string },
): Promise<void> {
  const [first, second] = [await executor.open(before), await executor.open(after)];
  const feeds = randomFeeds(first.inputs);
  const [wanted, got] = [await first.run(feeds), await second.run(feeds)];
  for (const [name, tensor] of wanted) {
    const [a, b] = [toFloats(tensor), toFloats(got.get(name)!)]; // outputs are the same, as another check says
    const error = a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
    must(a.length === b.length && error <= tolerance, `${where}, output ${name}`, {
      expected: `a difference of at most ${tolerance}`,
      found: error,
    });
  }
}
