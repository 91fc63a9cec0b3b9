import { reestimateBatchNorm } from '@espalier/calibration';
import {
  byteLength,
  type Compressed,
  type Compressor,
  type Evidence,
  type Node,
  type Note,
  select,
} from '@espalier/core';
import { multiplyAdds, parametersOf, productsOf } from '@espalier/ops';
import { evidenceNotes } from '../evidence-notes.js';
import type { Goal } from '../structured/choose-units.js';
import { costModel } from '../structured/cost-model.js';
import { type CoupledGraph, coupled } from '../structured/coupled.js';
import { prepareStructured } from '../structured/prepare-structured.js';
import { type Branch, branchesOf } from './branches-of.js';
import { deadAfter } from './dead-after.js';
import type { LayerOptions } from './layer-options.js';
import { removeBranches } from './remove-branches.js';
import { type BranchScoring, branchNeeds, changeNeeds, scoreBranches } from './score-branches.js';

/**
 * Removes whole residual branches, those with the lowest scores first: the network has fewer layers. A branch is taken
 * when that brings the goal nearer, so that the result is as near as whole branches allow; the last note says how near.
 * With data, batch norms are then measured again: what they see has changed much.
 */
export const pruneLayers =
  (options: LayerOptions): Compressor =>
  (given, { axes, data = true } = {}) => {
    const { pruner, measure } = options;
    const net = coupled(prepareStructured(given), axes ? { rules: axes } : {});
    const { graph } = net;
    const scoring: BranchScoring = {
      graph,
      pruner,
      measure: measure === 'auto' ? (data ? 'influence' : 'mean') : measure,
      needOf: changeNeeds(net),
    };
    const plan: LayerPlan = { net, options, scoring, ...sortBranches(net, options) };
    return { graph, needs: branchNeeds(plan.chosen, scoring), apply: (evidence) => removeLayers(plan, evidence) };
  };

interface LayerPlan extends Sorted {
  readonly net: CoupledGraph;
  readonly options: LayerOptions;
  readonly scoring: BranchScoring;
}

/** @throws PRUNE_SCORES, PRUNE_EVIDENCE. */
function removeLayers(plan: LayerPlan, evidence: Evidence): Compressed {
  const { net, removed, chosen, notes, scoring, options } = plan;
  const { goal, sparsity, reestimate } = options;
  const scores = scoreBranches(chosen, scoring, evidence);
  const order = [...chosen].sort((a, b) => scores.get(a)! - scores.get(b)!); // stable; each has a score
  const taken: Branch[] = [];
  let miss = sparsity;
  for (const branch of order) {
    const next = Math.abs(removed([...taken, branch])[goal] - sparsity);
    if (next >= miss) continue;
    taken.push(branch);
    miss = next;
  }
  const dead = deadAfter(net.graph, taken).nodes;
  const graph = removeBranches(
    net.graph,
    taken.map(({ id }) => id),
  );
  return {
    graph,
    notes: [
      ...order.map((branch) => branchNote(branch, { taken, dead, score: scores.get(branch)! })),
      ...notes,
      ...evidenceNotes(evidence),
      summary(taken.length, { goal, sparsity, reached: removed(taken) }),
    ],
    ...(reestimate === 'never'
      ? {}
      : {
          refine: async ({ batches, executor }) => ({
            graph: await reestimateBatchNorm(graph, batches(), executor),
            notes: [],
          }),
        }),
  };
}

interface Sorted {
  /** The exact shares that go with some branches. */
  readonly removed: (branches: readonly Branch[]) => Shares;
  readonly chosen: readonly Branch[];
  readonly notes: readonly Note[];
}

function sortBranches(net: CoupledGraph, options: LayerOptions): Sorted {
  const all = branchesOf(net.graph);
  const removed = removedBy(net, all);
  const selection = select(options);
  const chosen: Branch[] = [];
  const notes: Note[] = [];
  const keep = (branch: Branch, reason: string) => notes.push(noteOf(branch, 'kept', reason));
  for (const branch of all) {
    const left = selection.leftOut([branch.id, ...branch.weights]);
    if (left !== undefined) keep(branch, left);
    else if (removed([branch]).parameters > largest) keep(branch, 'It holds more than half of the parameters.');
    else chosen.push(branch);
  }
  if (all.length === 0) {
    notes.push({ outcome: 'warning', reason: 'No branch can go: no sum has a shortcut around weights.' });
  }
  const names = all.flatMap(({ id, weights }) => [id, ...weights]);
  return { removed, chosen, notes: [...notes, ...selection.unmatched(names, 'a branch')] };
}

// What is left of an image network without its one long branch is no network.
const largest = 0.5;

type Shares = Readonly<Record<Goal, number>>;

/** The exact shares that go with some branches: what dies with them, of what there is. */
function removedBy(net: CoupledGraph, all: readonly Branch[]): Sorted['removed'] {
  const { graph, relations } = net;
  const whole = costModel(net)(new Map());
  const { site, ruleOf } = relations;
  const macsOf = (node: Node): number => multiplyAdds(productsOf(site(node), ruleOf(node.op)) ?? []);
  const share = (part: number, of: number) => (of > 0 ? part / of : 0);
  return (branches) => {
    const { nodes, constants } = deadAfter(graph, branches);
    const sums = { parameters: 0, bytes: 0, macs: 0 };
    for (const value of constants) {
      sums.parameters += parametersOf(graph, value);
      sums.bytes += byteLength(graph.constants.get(value)!); // dead constants are constants
    }
    for (const node of nodes) sums.macs += macsOf(node);
    const gone = all.filter((branch) => branches.includes(branch) || nodes.has(branch.node)).length;
    return {
      units: share(gone, all.length),
      parameters: share(sums.parameters, whole.parameters),
      bytes: share(sums.bytes, whole.bytes),
      macs: share(sums.macs, whole.macs),
    };
  };
}

const noteOf = ({ id, node, weights }: Branch, outcome: Note['outcome'], reason: string, score?: number): Note => ({
  node: node.id,
  op: node.op,
  outcome,
  reason,
  details: { branch: id, weights, ...(score === undefined ? {} : { score }) },
});

function branchNote(
  branch: Branch,
  {
    taken,
    dead,
    score,
  }: { readonly taken: readonly Branch[]; readonly dead: ReadonlySet<Node>; readonly score: number },
): Note {
  const many = `${branch.weights.length} weights`;
  if (taken.includes(branch)) {
    return noteOf(branch, 'pruned', `The branch with ${many} is gone (score ${score.toPrecision(3)}).`, score);
  }
  if (dead.has(branch.node)) return noteOf(branch, 'pruned', 'It went with the branch around it.', score);
  return noteOf(branch, 'kept', `The branch with ${many} stays (score ${score.toPrecision(3)}).`, score);
}

interface Reached {
  readonly goal: Goal;
  readonly sparsity: number;
  readonly reached: Shares;
}

function summary(count: number, { goal, sparsity, reached }: Reached): Note {
  const percent = (part: number) => `${(100 * part).toFixed(1)} %`;
  const name = goal === 'units' ? 'branches' : goal === 'macs' ? 'multiply-adds' : goal;
  return {
    outcome: count > 0 ? 'pruned' : 'warning',
    reason:
      count > 0
        ? `${count} branches are gone: ${percent(reached[goal])} of the ${name}, where ${percent(sparsity)} were asked for; ${percent(reached.parameters)} of the parameters and ${percent(reached.macs)} of the multiply-adds.`
        : 'Nothing was removed.',
    details: { goal, sparsity, reached },
  };
}
