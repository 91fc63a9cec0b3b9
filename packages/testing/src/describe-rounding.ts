import {
  type AnyPlugin,
  createRandom,
  gridAt,
  type Rounded,
  type Rounding,
  type RoundingProblem,
  roundedValues,
  roundWeights,
} from '@espalier/core';
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
    step: Math.fround(steps[i % steps.length]!),
    lowest: -4,
    highest: 3 + (i % 2),
  }));
  return { weight, rows, size, gram, group, grids };
}

const free = { shift: false, negative: false } as const;

const problems = {
  'a grid for each row': problemOf(shapes.size, [0.3, 0.5]),
  'a grid for each group of 4, the last one shorter': problemOf(4, [0.2, 0.4, 0.6]),
  'negative steps': problemOf(4, [-0.3, 0.4]),
  'steps that it may choose': { ...problemOf(4, [0.2, 0.4, 0.6]), free },
  'grids that it may shift': { ...problemOf(5, [0.3, 0.4]), free: { shift: true, negative: false } },
  'steps that may be negative': { ...problemOf(5, [0.3, 0.4]), free: { shift: false, negative: true } },
} satisfies Readonly<Record<string, RoundingProblem>>;

/** The parts of a problem, by the names of the statistics that a rounding reads. */
function inputsFor(problem: RoundingProblem, { needs = ['gram'] }: Rounding): RoundingProblem {
  const { gram, size } = problem;
  const magnitude = Float64Array.from({ length: size }, (_, i) => Math.sqrt(gram[i * size + i]! / 40));
  return {
    ...problem,
    ...(needs.includes('gram') ? {} : { gram: new Float64Array() }),
    ...(needs.includes('magnitude') ? { magnitude } : {}),
  };
}

/**
 * The contract of roundings: codes of the right grid for each weight, the same every time; grid points stay; grids of its
 * own only where the problem leaves them free, and within that freedom.
 */
export function describeRounding(plugin: AnyPlugin<'rounding'>, test: PluginUnderTest = {}): Kit {
  const where = `rounding ${plugin.id}`;
  const round = (problem: RoundingProblem, rounding: Rounding = build(plugin, test)): Rounded =>
    roundWeights(rounding, inputsFor(problem, rounding));
  return {
    about: where,
    checks: [
      ...pluginChecks(plugin, test),
      ...Object.entries(problems).flatMap(([name, problem]) => [
        {
          name: `gives a code of its grid for each weight, the same every time, and changes nothing (${name})`,
          run() {
            const before = fingerprint(problem);
            const { codes, grids } = round(problem);
            checkGrids(problem, grids, where);
            const chosen = { ...problem, grids };
            must(codes.length === problem.weight.length, where, {
              expected: `${problem.weight.length} codes`,
              found: codes.length,
            });
            codes.forEach((code, at) => {
              const { lowest, highest } = gridOf(chosen, at);
              must(code >= lowest && code <= highest, `${where}, weight ${at}`, {
                expected: `a code from ${lowest} to ${highest}`,
                found: code,
              });
            });
            must(fingerprint(round(problem)) === fingerprint({ codes, grids }), where, {
              expected: 'the same again',
              found: codes,
            });
            must(fingerprint(problem) === before, where, { expected: 'the problem as it was', found: 'a changed one' });
          },
        },
        {
          name: `leaves weights that lie on their grid (${name})`,
          run() {
            const { free: _, ...fixed } = problem as RoundingProblem;
            const { codes, grids } = round(problem);
            const weight = roundedValues(problem, { codes, grids });
            const { codes: again } = round({ ...fixed, weight, grids });
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

function checkGrids(problem: RoundingProblem, grids: Rounded['grids'], where: string): void {
  must(grids.length === problem.grids.length, where, {
    expected: `${problem.grids.length} grids`,
    found: grids.length,
  });
  grids.forEach(({ step, lowest, highest }, i) => {
    const given = problem.grids[i]!;
    const { shift, negative } = problem.free ?? { shift: false, negative: false };
    const points = given.highest - given.lowest;
    must(highest - lowest === points, `${where}, grid ${i}`, {
      expected: `${points + 1} points`,
      found: highest - lowest + 1,
    });
    const stays = shift ? lowest >= -points && lowest <= 0 : lowest === given.lowest;
    must(stays, `${where}, grid ${i}`, {
      expected: shift ? `a lowest code from ${-points} to 0` : `lowest code ${given.lowest}`,
      found: lowest,
    });
    const right = problem.free ? Math.fround(step) === step && (negative ? step !== 0 : step > 0) : step === given.step;
    must(right, `${where}, grid ${i}`, {
      expected: problem.free ? `a float32 step, ${negative ? 'not 0' : 'positive'}` : `step ${given.step}`,
      found: step,
    });
  });
}

const gridOf = (problem: RoundingProblem, at: number) =>
  gridAt(problem, Math.floor(at / problem.size), at % problem.size);
