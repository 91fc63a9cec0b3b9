import { type Evidence, type Graph, type Need, type Pruner, sizeOf, usesOf, type ValueId } from '@espalier/core';
import { badScores, noInfluence } from '../errors.js';
import type { CoupledGraph } from '../structured/coupled.js';
import { weightScorerOf } from '../weight-scorer-of.js';
import type { Branch } from './branches-of.js';

/**
 * The measure of a branch's importance. `influence`: 1 minus the mean cosine between the shortcut and the sum, over the vectors of
 * features at each place (block influence: Men et al. 2024, arXiv 2403.03853). `change`: the squared length of what the
 * branch adds, relative to that of the shortcut. `sum` and `mean`: of the scores that a pruner gives its weights; these
 * need no data.
 */
export type BranchMeasure = 'influence' | 'change' | 'sum' | 'mean';

/** The scoring of branches of a graph. */
export interface BranchScoring {
  readonly graph: Graph;
  readonly needOf: ChangeNeeds;
  /** Scores weights, for the measures `sum` and `mean`. */
  readonly pruner: Pruner;
  readonly measure: BranchMeasure;
}

const ofWeights = (measure: BranchMeasure): boolean => measure === 'sum' || measure === 'mean';

const targetOf = (graph: Graph, value: ValueId) => {
  const { id: node, op } = usesOf(graph, value)[0]!.node; // weights die with a reader
  return { value, weight: graph.constants.get(value)!, node, op };
};

/** Statistics of the change that a branch makes, along the axis of features, which a coupled graph knows. */
export type ChangeNeeds = (branch: Branch) => {
  readonly statistic: 'change';
  readonly before: ValueId;
  readonly after: ValueId;
  readonly axis: number;
};

/** The need of each branch of a coupled graph. */
export function changeNeeds(net: CoupledGraph): ChangeNeeds {
  const axisOf = featureAxes(net);
  return ({ shortcut, output }) => ({ statistic: 'change', before: shortcut, after: output, axis: axisOf(output) });
}

/** The statistics that `scoreBranches` needs. */
export function branchNeeds(branches: readonly Branch[], scoring: BranchScoring): readonly Need[] {
  if (!ofWeights(scoring.measure)) return branches.map(scoring.needOf);
  const { graph } = scoring;
  const targets = branches.flatMap(({ weights }) => weights.map((value) => targetOf(graph, value)));
  return weightScorerOf(scoring.pruner).needs(graph, targets);
}

/** One score per branch; the lowest go first. @throws PRUNE_SCORES, PRUNE_EVIDENCE where the data was not collected. */
export function scoreBranches(
  branches: readonly Branch[],
  scoring: BranchScoring,
  evidence: Evidence,
): ReadonlyMap<Branch, number> {
  return new Map(
    branches.map((branch) => {
      const score = ofWeights(scoring.measure)
        ? weightScore(branch, scoring, evidence)
        : changeScore(branch, scoring, evidence);
      if (!(score >= 0 && score < Number.POSITIVE_INFINITY)) {
        throw badScores(branch.id, { expected: 'a finite score of at least 0', found: `${score}` });
      }
      return [branch, score];
    }),
  );
}

function changeScore(branch: Branch, { measure, needOf }: BranchScoring, evidence: Evidence): number {
  const found = evidence.find(needOf(branch));
  if (!found) throw noInfluence(branch.id);
  return measure === 'influence' ? Math.max(0, 1 - found.cosine) : found.relative;
}

function weightScore({ weights }: Branch, { graph, pruner, measure }: BranchScoring, evidence: Evidence): number {
  let [sum, count] = [0, 0];
  const scorer = weightScorerOf(pruner);
  for (const value of weights) {
    const target = targetOf(graph, value);
    const scores = scorer.score!(target, evidence);
    if (scores.length !== sizeOf(target.weight.shape)) {
      throw badScores(value, { expected: `${sizeOf(target.weight.shape)} scores`, found: `${scores.length}` });
    }
    for (let i = 0; i < scores.length; i++) sum += scores[i]!;
    count += scores.length;
  }
  return measure === 'mean' ? sum / count : sum;
}

/** Finds the axis of features of a value: the one that most weights make or read; the second where none does. */
function featureAxes({ groups, roots, relations }: CoupledGraph): (value: ValueId) => number {
  const constants = new Map<number, number>();
  for (const group of groups) for (const root of roots.get(group)!) constants.set(root, group.slices.length); // every group has them
  return (value) => {
    const axes = relations.ports.get(value)?.axes ?? [];
    let [best, most] = [1, 0];
    axes.forEach(({ start, size }, axis) => {
      let count = 0;
      for (let i = 0; i < size; i++) count += constants.get(relations.space.find(start + i)) ?? 0;
      if (count / size > most) [best, most] = [axis, count / size];
    });
    return Math.min(best, Math.max(0, axes.length - 1));
  };
}
