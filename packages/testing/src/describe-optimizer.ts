import {
  type AnyPlugin,
  buildGraph,
  type Executor,
  floats,
  type Graph,
  scalar,
  type Tensor,
  toNumbers,
  type ValueId,
} from '@espalier/core';
import { fingerprint } from './graph-fingerprint.js';
import { type Check, type Kit, must } from './kit.js';
import { build, type PluginUnderTest, pluginChecks } from './plugin-checks.js';
import { allFinite, appended } from './step-graph.js';

/** Options of the kit for optimizers. */
export interface OptimizerUnderTest extends PluginUnderTest {
  /** Runs updates, to see that they go downhill. */
  readonly executor?: Executor;
}

const shape = [2, 3];

/** The contract of optimizers: append the update of one parameter and of the state it names, of the same shape. */
export function describeOptimizer(plugin: AnyPlugin<'optimizer'>, test: OptimizerUnderTest = {}): Kit {
  const where = `optimizer ${plugin.id}`;
  const step = (decay = 0) => updateGraph(plugin, test, decay);
  const checks: Check[] = [
    {
      name: 'names its state, each tensor once',
      run() {
        const { state, learningRate = 1 } = build(plugin, test);
        must(new Set(state).size === state.length, `${where}, state`, { expected: 'names that differ', found: state });
        must(Number.isFinite(learningRate) && learningRate > 0, `${where}, learningRate`, {
          expected: 'a number above 0',
          found: learningRate,
        });
      },
    },
    {
      name: 'updates the parameter and each tensor of its state, in their shape',
      run() {
        const { state } = build(plugin, test);
        for (const decay of [0, 1]) {
          const { graph, made } = step(decay);
          must(fingerprint([...made.state.keys()].sort()) === fingerprint([...state].sort()), `${where}, state`, {
            expected: `updates of ${state.join(', ') || 'nothing'}`,
            found: [...made.state.keys()],
          });
          for (const value of [made.parameter, ...made.state.values()]) {
            const info = graph.values.get(value);
            must(info?.dtype === 'float32' && info.shape?.join() === shape.join(), `${where}, value ${value}`, {
              expected: `float32 of the shape of the parameter, ${shape}`,
              found: info ?? 'a value of unknown type',
            });
          }
        }
      },
    },
    {
      name: 'appends the same nodes every time',
      run() {
        const [first, second] = [step(), step()].map(({ graph }) => fingerprint(graph));
        must(first === second, where, { expected: 'equal graphs', found: 'different ones' });
      },
    },
  ];
  const { executor } = test;
  if (executor) {
    checks.push(
      {
        name: 'leaves the parameter as it is at a learning rate of 0',
        async run() {
          const after = await descend(step(), { executor, steps: 1, learningRate: 0 });
          must(
            after.every((value) => value === 1),
            where,
            { expected: 'the parameter as it was', found: [...after] },
          );
        },
      },
      {
        name: 'goes downhill on a parabola',
        async run() {
          const after = await descend(step(), { executor, steps: 20, learningRate: 0.02 });
          const worst = Math.max(...after.map(Math.abs));
          must(worst < 1, where, { expected: 'values of w² / 2 below those at the start, w = 1', found: [...after] });
        },
      },
    );
  }
  return { about: where, checks: [...pluginChecks(plugin, test), ...checks] };
}

interface Update {
  readonly parameter: ValueId;
  readonly state: ReadonlyMap<string, ValueId>;
}

function updateGraph(plugin: AnyPlugin<'optimizer'>, test: OptimizerUnderTest, decay: number) {
  const optimizer = build(plugin, test);
  const b = buildGraph();
  const parameter = b.input('parameter', 'float32', shape);
  const gradient = b.input('gradient', 'float32', shape);
  const state = new Map(optimizer.state.map((name) => [name, b.input(`state.${name}`, 'float32', shape)]));
  const learningRate = b.input('learningRate', 'float32', []);
  const step = b.input('step', 'float32', []);
  return appended(b.finish(), `optimizer ${plugin.id}`, (builder) =>
    optimizer.update(builder, { parameter, gradient, state, learningRate, step, decay }),
  );
}

/** Steps on w² / 2, whose gradient is w, from w = 1 everywhere; the parameter at the end. */
async function descend(
  { graph, made }: { readonly graph: Graph; readonly made: Update },
  run: { readonly executor: Executor; readonly steps: number; readonly learningRate: number },
): Promise<readonly number[]> {
  const outputs = [...new Set([made.parameter, ...made.state.values()])];
  const session = await run.executor.open({ ...graph, outputs });
  const full = (value: number) => floats(new Float32Array(6).fill(value), shape);
  let parameter: Tensor = full(1);
  let state = new Map([...made.state.keys()].map((name): [string, Tensor] => [name, full(0)]));
  for (let step = 1; step <= run.steps; step++) {
    const results = await session.run(
      new Map<string, Tensor>(
        [
          ['parameter', parameter],
          ['gradient', parameter],
          ...[...state].map(([name, tensor]) => [`state.${name}`, tensor] as const),
          ['learningRate', scalar(run.learningRate)],
          ['step', scalar(step)],
        ].filter(([name]) => graph.inputs.includes(`${name}`)) as [string, Tensor][],
      ),
    );
    parameter = results.get(made.parameter)!; // one of the outputs, as the states are
    state = new Map([...made.state].map(([name, value]) => [name, results.get(value)!]));
    must(allFinite(parameter), 'parameter', { expected: 'finite numbers', found: toNumbers(parameter) });
  }
  return toNumbers(parameter);
}
