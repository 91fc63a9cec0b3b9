import { type AnyPlugin, type Executor, type Graph, toFloats } from '@espalier/core';
import { type CompressorUnderTest, compressed, compressorChecks } from './compressor-checks.js';
import { type Check, type Kit, must } from './kit.js';
import { pluginChecks } from './plugin-checks.js';
import { randomFeeds } from './random-feeds.js';
import { type SampleGraph, sampleGraphs } from './sample-graphs.js';

/** Options of the kit for quantizers. */
export interface QuantizerUnderTest extends CompressorUnderTest {
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

function checksOn(plugin: AnyPlugin<'quantizer'>, sample: SampleGraph, test: QuantizerUnderTest): readonly Check[] {
  const { name, graph } = sample;
  const where = `quantizer ${plugin.id} on ${name}`;
  const { executor, leastSnrDb = 3 } = test;
  const checks = compressorChecks(plugin, sample, test);
  // Nobody can run an op that nobody knows.
  if (!executor || graph.nodes.some(({ op }) => op.includes('::'))) return checks;
  const run: Check = {
    name: `runs, and stays near the float graph (${name})`,
    run: () => nearby([graph, compressed(plugin, graph, test).graph], { executor, leastSnrDb, where }),
  };
  return [...checks, run];
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
