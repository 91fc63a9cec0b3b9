import { type AnyPlugin, checkGraph, type Executor, type Graph, toNumbers } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { fingerprint } from './graph-fingerprint.js';
import { type Check, type Kit, must } from './kit.js';
import { build, type PluginUnderTest, pluginChecks } from './plugin-checks.js';
import { randomFeeds } from './random-feeds.js';
import { allFinite } from './step-graph.js';

/** Options of the kit for models. */
export interface ModelUnderTest extends PluginUnderTest {
  /** Runs the model, to see that its outputs are finite for one sample and for several. */
  readonly executor?: Executor;
}

/** The contract of models: a sound graph with types and finite weights, the same for the same options and seed. */
export function describeModel(plugin: AnyPlugin<'model'>, test: ModelUnderTest = {}): Kit {
  const where = `model ${plugin.id}`;
  const make = (more: Readonly<Record<string, unknown>> = {}): Graph =>
    build(plugin, { ...test, with: { ...test.with, ...more } });
  const checks: Check[] = [
    {
      name: 'is a sound graph with typed inputs and outputs',
      run() {
        const graph = inferShapes(checkGraph(make()));
        must(graph.inputs.length > 0 && graph.outputs.length > 0, where, {
          expected: 'inputs and outputs',
          found: `${graph.inputs.length} inputs and ${graph.outputs.length} outputs`,
        });
        for (const value of [...graph.inputs, ...graph.outputs]) {
          const info = graph.values.get(value);
          must(info?.shape !== undefined, `${where}, value ${value}`, {
            expected: 'a type and a shape',
            found: info ?? 'nothing',
          });
        }
      },
    },
    {
      name: 'has finite weights',
      run() {
        for (const [name, tensor] of make().constants)
          must(allFinite(tensor), `${where}, constant ${name}`, { expected: 'finite numbers', found: 'others' });
      },
    },
    {
      name: 'has the same weights every time for the same options',
      run() {
        const [first, second] = [make(), make()].map(fingerprint);
        must(first === second, where, { expected: 'equal graphs', found: 'different ones' });
      },
    },
  ];
  if (plugin.options['seed']?.type === 'integer') {
    checks.push({
      name: 'has other weights for another seed',
      run() {
        const [first, second] = [make({ seed: 1 }), make({ seed: 2 })].map(fingerprint);
        must(first !== second, `${where}, option seed`, { expected: 'different weights', found: 'the same ones' });
      },
    });
  }
  const { executor } = test;
  if (executor) {
    checks.push({
      name: 'runs, with finite outputs, on one sample and on three',
      async run() {
        const graph = make();
        const session = await executor.open(graph);
        for (const batch of [1, 3]) {
          for (const [name, tensor] of await session.run(randomFeeds(session.inputs, { batch })))
            must(allFinite(tensor), `${where}, output ${name}`, {
              expected: 'finite numbers',
              found: toNumbers(tensor).slice(0, 8),
            });
        }
        await session.close();
      },
    });
  }
  return { about: where, checks: [...pluginChecks(plugin, test), ...checks] };
}
