import { type Graph, problem } from '@espalier/core';
import { type CoupledGraph, chooseUnits, costModel } from '@espalier/pruners';
import type { GetaOptions } from './geta-options.js';
import type { QassoPlan } from './qasso/plan.js';
import { type Stages, stepsOf } from './qasso/stages.js';
import { unitGroups } from './qasso/unit-parts.js';
import { quantizersOf } from './quantizers-of.js';

/**
 * The stages of a run of so many steps. @throws OPTION_INVALID where the shares leave nothing for the last stage, or a
 * stage has fewer steps than periods.
 */
export function stagesOf(
  { epochs, warm, projection, joint }: Pick<GetaOptions, 'epochs' | 'warm' | 'projection' | 'joint'>,
  stepsPerEpoch: number,
): Stages {
  const total = Math.round(epochs * stepsPerEpoch);
  const part = (share: number) => Math.round(total * share);
  const stages: Stages = {
    warm: part(warm),
    projection: { steps: part(projection.share), parts: projection.periods },
    joint: { steps: part(joint.share), parts: joint.periods },
    cool: 0,
  };
  const cool = total - stepsOf(stages);
  if (cool < 1)
    throw badStage(
      'warm, projection.share and joint.share',
      'a sum below 1, so that training goes on after the last removal',
      `${cool} steps left of ${total}`,
    );
  for (const name of ['projection', 'joint'] as const) {
    const { steps, parts } = stages[name];
    if (steps > 0 && steps < parts)
      throw badStage(`${name}.periods`, `at most ${steps}, the steps of the stage`, `${parts}`);
  }
  return { ...stages, cool };
}

const badStage = (option: string, expected: string, found: string) =>
  problem('OPTION_INVALID', {
    where: `trainer geta: ${option}`,
    expected,
    found,
    fix: 'Set more epochs, fewer periods, or smaller shares.',
  });

/** @throws OPTION_INVALID for a range that is empty. */
function checkWidths({ bits, activations }: Pick<GetaOptions, 'bits' | 'activations'>): void {
  for (const [name, { min, max }] of [
    ['bits', bits],
    ['activations', activations],
  ] as const) {
    if (min > max) {
      throw problem('OPTION_INVALID', {
        where: `trainer geta: ${name}`,
        expected: 'a min that is at most max',
        found: `${min} to ${max}`,
        fix: 'Exchange the two.',
      });
    }
  }
}

/** The plan of QASSO for a graph with parameterized quantizers. */
export function getaPlan(
  net: CoupledGraph,
  {
    options,
    stages,
    trained,
  }: { readonly options: GetaOptions; readonly stages: Stages; readonly trained: (value: string) => boolean },
): QassoPlan {
  checkWidths(options);
  const { sparsity, goal, normalize, multiple, minimum, saliency, bits, activations, startBits } = options;
  const groups = unitGroups(
    net,
    net.groups.filter(({ prunable, changesStatistics }) => prunable && !changesStatistics),
    trained,
  );
  const cost = costModel(net);
  return {
    stages,
    quantizers: quantizersIn(net.graph),
    groups,
    criteria: saliency,
    widths: { weights: bits, activations },
    start: startBits,
    choose(scores, share) {
      const byGroup = new Map(groups.map(({ group }, g) => [group, scores[g]!]));
      const chosen = chooseUnits(byGroup, cost, {
        sparsity: sparsity * share,
        goal,
        scope: 'global',
        normalize,
        multiple,
        minimum,
      });
      return groups.map(({ group }) => chosen.get(group.id) ?? []);
    },
  };
}

/** One quantizer for each step: two places that share a grid share its parameters. */
function quantizersIn(graph: Graph) {
  const seen = new Set<string>();
  return quantizersOf(graph).filter(({ step }) => !seen.has(step) && seen.add(step));
}
