import {
  byteLength,
  type Evidence,
  type Graph,
  matchNames,
  type Need,
  type Node,
  type Note,
  noEvidence,
  type Outcome,
} from '@espalier/core';
import { multiplyAdds, parametersOf, productsOf, relateAxes } from '@espalier/ops';
import { badGoal } from '../errors.js';
import { evidenceNotes } from '../evidence-notes.js';
import type { Goal } from '../structured/choose-units.js';
import { type Cost, costModel } from '../structured/cost-model.js';
import { prepareStructured } from '../structured/prepare-structured.js';
import { type Branch, branchesOf } from './branches-of.js';
import { deadAfter } from './dead-after.js';
import { removeBranches } from './remove-branches.js';
import { type BranchScoring, branchNeeds, scoreBranches } from './score-branches.js';

/** Options of `pruneLayers`. Patterns (`*`, `?`) match ids of branches (those of their sums) and names of weights. */
export interface LayerOptions extends BranchScoring {
  /** The share that goes: `{ ratio }` of the branches, or `{ parameters }`, `{ bytes }`, `{ macs }` of the graph. */
  readonly goal: Goal;
  /** Only branches that match; all when left out. */
  readonly only?: readonly string[];
  /** Branches that are left. */
  readonly ignore?: readonly string[];
}

/** The statistics that calibration must collect before `pruneLayers` with the same options. */
export function layerNeeds(graph: Graph, options: LayerOptions): readonly Need[] {
  const ready = prepareStructured(graph);
  return branchNeeds(ready, sortBranches(ready, options).chosen, options);
}

/**
 * Removes whole residual branches, those with the lowest scores first: the network has fewer layers. A branch is taken
 * when that brings the goal nearer, so that the result is as near as whole branches allow; the last note says how near.
 * @throws PRUNE_GOAL, PRUNE_SCORES, PRUNE_EVIDENCE.
 */
export function pruneLayers(graph: Graph, options: LayerOptions, evidence: Evidence = noEvidence): Outcome {
  const [kind, share] = Object.entries(options.goal)[0] as [keyof Cost | 'ratio', number]; // a goal has one entry
  if (!(share >= 0 && share <= 1)) throw badGoal(kind, share);
  const ready = prepareStructured(graph);
  const { all, chosen, notes } = sortBranches(ready, options);
  const scores = scoreBranches(ready, chosen, options, evidence);
  const order = [...chosen].sort((a, b) => scores.get(a)! - scores.get(b)!); // stable
  const removed = removedBy(ready, all);
  const taken: Branch[] = [];
  let miss = share;
  for (const branch of order) {
    const next = Math.abs(removed([...taken, branch])[kind] - share);
    if (next >= miss) continue;
    taken.push(branch);
    miss = next;
  }
  const dead = deadAfter(ready, taken).nodes;
  const reached = removed(taken);
  return {
    graph: removeBranches(
      ready,
      taken.map(({ id }) => id),
    ),
    notes: [
      ...order.map((branch) => branchNote(branch, { taken, dead, score: scores.get(branch)! })),
      ...notes,
      ...evidenceNotes(evidence),
      summary(taken.length, { kind, share, reached }),
    ],
  };
}

interface Sorted {
  readonly all: readonly Branch[];
  readonly chosen: readonly Branch[];
  readonly notes: readonly Note[];
}

function sortBranches(graph: Graph, { only = [], ignore = [] }: LayerOptions): Sorted {
  const all = branchesOf(graph);
  const removed = removedBy(graph, all);
  const chosen: Branch[] = [];
  const notes: Note[] = [];
  const keep = (branch: Branch, reason: string) => notes.push(noteOf(branch, 'kept', reason));
  for (const branch of all) {
    const names = [branch.id, ...branch.weights];
    if (only.length > 0 && !names.some(matchNames(only))) keep(branch, 'It is not among the branches to remove.');
    else if (names.some(matchNames(ignore))) keep(branch, 'It is among the branches to leave.');
    else if (removed([branch]).parameters > largest) keep(branch, 'It holds more than half of the parameters.');
    else chosen.push(branch);
  }
  if (all.length === 0) {
    notes.push({ outcome: 'warning', reason: 'No branch can go: no sum has a shortcut around weights.' });
  }
  return { all, chosen, notes };
}

// What is left of an image network without its one long branch is no network.
const largest = 0.5;

type Shares = Readonly<Record<keyof Cost | 'ratio', number>>;

/** The exact shares that go with some branches: what dies with them, of what there is. */
function removedBy(graph: Graph, all: readonly Branch[]): (branches: readonly Branch[]) => Shares {
  const whole = costModel(graph)(new Map());
  const { site, ruleOf } = relateAxes(graph);
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
      ratio: share(gone, all.length),
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
  readonly kind: keyof Cost | 'ratio';
  readonly share: number;
  readonly reached: Shares;
}

function summary(count: number, { kind, share, reached }: Reached): Note {
  const percent = (part: number) => `${(100 * part).toFixed(1)} %`;
  const name = kind === 'ratio' ? 'branches' : kind === 'macs' ? 'multiply-adds' : kind;
  return {
    outcome: count > 0 ? 'pruned' : 'warning',
    reason:
      count > 0
        ? `${count} branches are gone: ${percent(reached[kind])} of the ${name}, where ${percent(share)} were asked for; ${percent(reached.parameters)} of the parameters and ${percent(reached.macs)} of the multiply-adds.`
        : 'Nothing was removed.',
    details: { goal: kind, share, reached },
  };
}
