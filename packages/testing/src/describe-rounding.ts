import { type AnyPlugin, createRandom, gridAt, type Rounding, type RoundingProblem } from '@espalier/core';
import { fingerprint } from './graph-fingerprint.js';
import { type Kit, must } from './kit.js';
import { build, type PluginUnderTest, pluginChecks } from './plugin-checks.js';

const shapes = { rows: 3, size: 10 } as const;

/** Random weights and the XᵀX of random inputs; grids differ from row to row and from group to group. */
function problemOf(group: number, steps: readonly number[]): RoundingProblem {
  const { rows, size } = shapes;
  const random = createRandom(group + steps.length);
  const inputs = Array.from({ length: 40 }, () => {
    const shared = random.normal();
    return Array.from({ length: size }, () => shared + random.normal());
  });
  const gram = Float64Array.from({ length: size * size }, (_, at) =>
    inputs.reduce((sum, x) => sum + x[Math.floor(at / size)]! * x[at % size]!, 0),
  );
  const weight = Float64Array.from({ length: rows * size }, () => random.normal());
  const grids = Array.from({ length: rows * Math.ceil(size / group) }, (_, i) => ({
    step: steps[i % steps.length]!,
    lowest: -4,
    highest: 3 + (i % 2),
  }));
  return { weight, rows, size, gram, group, grids };
}

const problems = {
  'a grid for each row': problemOf(shapes.size, [0.3, 0.5]),
  'a grid for each group of 4, the last one shorter': problemOf(4, [0.2, 0.4, 0.6]),
  'negative steps': problemOf(4, [-0.3, 0.4]),
};

/** The contract of roundings: codes of the right grid for each weight, the same every time; grid points stay. */
export function describeRounding(plugin: AnyPlugin<'rounding'>, test: PluginUnderTest = {}): Kit {
  const where = `rounding ${plugin.id}`;
  const round = (problem: RoundingProblem, rounding: Rounding = build(plugin, test)) =>
    rounding(rounding.dataFree ? { ...problem, gram: new Float64Array() } : problem);
  return {
    about: where,
    checks: [
      ...pluginChecks(plugin, test),
      ...Object.entries(problems).flatMap(([name, problem]) => [
        {
          name: `gives a code of its grid for each weight, the same every time, and changes nothing (${name})`,
          run() {
            const before = fingerprint(problem);
            const codes = round(problem);
            must(codes.length === problem.weight.length, where, {
              expected: `${problem.weight.length} codes`,
              found: codes.length,
            });
            codes.forEach((code, at) => {
              const { lowest, highest } = gridOf(problem, at);
              must(code >= lowest && code <= highest, `${where}, weight ${at}`, {
                expected: `a code from ${lowest} to ${highest}`,
                found: code,
              });
            });
            must(fingerprint(round(problem)) === fingerprint(codes), where, {
              expected: 'the same again',
              found: codes,
            });
            must(fingerprint(problem) === before, where, { expected: 'the problem as it was', found: 'a changed one' });
          },
        },
        {
          name: `leaves weights that lie on their grid (${name})`,
          run() {
            const codes = round(problem);
            const weight = Float64Array.from(codes, (code, at) => code * gridOf(problem, at).step);
            const again = round({ ...problem, weight });
            must(fingerprint(again) === fingerprint(codes), where, {
              expected: 'the codes as they were',
              found: again,
            });
          },
        },
      ]),
    ],
  };
}

const gridOf = (problem: RoundingProblem, at: number) =>
  gridAt(problem, Math.floor(at / problem.size), at % problem.size);
