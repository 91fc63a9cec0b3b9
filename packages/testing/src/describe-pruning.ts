import { type AnyPlugin, type Executor, type Graph, isFloat, toNumbers } from '@espalier/core';
import { type CompressorUnderTest, compressed, compressorChecks } from './compressor-checks.js';
import { type Check, type Kit, must } from './kit.js';
import { pluginChecks } from './plugin-checks.js';
import { randomFeeds } from './random-feeds.js';
import { type SampleGraph, sampleGraphs } from './sample-graphs.js';

/** Options of the kit for prunings. */
export type PruningUnderTest = CompressorUnderTest;

/** The contract of prunings: keep the argument and the interface of the graph, remove weights, and make none. */
export function describePruning(plugin: AnyPlugin<'pruning'>, test: PruningUnderTest = {}): Kit {
  const graphs = test.graphs ?? sampleGraphs();
  return {
    about: `pruning ${plugin.id}`,
    checks: [...pluginChecks(plugin, test), ...graphs.flatMap((sample) => checksOn(plugin, sample, test))],
  };
}

function checksOn(plugin: AnyPlugin<'pruning'>, sample: SampleGraph, test: PruningUnderTest): readonly Check[] {
  const { name, graph } = sample;
  const where = `pruning ${plugin.id} on ${name}`;
  const { executor } = test;
  const checks: Check[] = [
    ...compressorChecks(plugin, sample, test),
    {
      name: `leaves no more weights than there were (${name})`,
      run() {
        const [before, after] = [weightsOf(graph), weightsOf(compressed(plugin, graph, test).graph)];
        must(after <= before, where, { expected: `at most ${before} weights that are not zero`, found: after });
      },
    },
  ];
  // Nobody can run an op that nobody knows.
  if (executor && !graph.nodes.some(({ op }) => op.includes('::'))) {
    checks.push({
      name: `runs, with outputs of the same shapes (${name})`,
      run: () => sameShapes([graph, compressed(plugin, graph, test).graph], { executor, where }),
    });
  }
  return checks;
}

/** Elements of floating-point constants that are not zero. */
const weightsOf = ({ constants }: Graph): number =>
  [...constants.values()]
    .filter(({ dtype }) => isFloat(dtype))
    .reduce((sum, tensor) => sum + toNumbers(tensor).filter((value) => value !== 0).length, 0);

async function sameShapes(
  [before, after]: readonly [Graph, Graph],
  { executor, where }: { readonly executor: Executor; readonly where: string },
): Promise<void> {
  const [first, second] = [await executor.open(before), await executor.open(after)];
  const feeds = randomFeeds(first.inputs);
  const [wanted, found] = [await first.run(feeds), await second.run(feeds)];
  for (const [name, { shape }] of wanted) {
    const result = found.get(name)?.shape.join();
    must(result === shape.join(), `${where}, output ${name}`, {
      expected: `shape ${shape.join()}`,
      found: `${result}`,
    });
  }
}
