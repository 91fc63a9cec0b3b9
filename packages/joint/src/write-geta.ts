import { type Graph, noEvidence, type Outcome } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { removeDeadNodes } from '@espalier/passes';
import { coupled, cut, type Removals } from '@espalier/pruners';
import { integersQuantizer } from '@espalier/quantizers';
import { fixWidths } from './fix-widths.js';
import { type QassoMemory, unitStates, unitsIn } from './qasso/memory.js';
import type { QassoPlan } from './qasso/plan.js';

/** The units that a run removed, by the id of their group. */
export const removalsOf = ({ groups }: Pick<QassoPlan, 'groups'>, { units }: QassoMemory): Removals =>
  new Map(
    groups.map(({ group }, g): [string, readonly number[]] => [group.id, unitsIn(units[g]!, unitStates.removed)]),
  );

/** A trained graph without its removed units, with quantizers of whole widths, in floats still. */
export function cutAndFix(trained: Graph, plan: QassoPlan, memory: QassoMemory): Graph {
  const widths = new Map(plan.quantizers.map(({ step }, i) => [step, memory.widths[i]!]));
  const small = cut(coupled(inferShapes(trained)), removalsOf(plan, memory));
  return removeDeadNodes(fixWidths(small, ({ step }) => widths.get(step)!));
}

/** The file of a trained graph: cut, and written in integers. */
export const writeGeta = (trained: Graph, plan: QassoPlan, memory: QassoMemory): Outcome =>
  integersQuantizer({})(cutAndFix(trained, plan, memory)).apply(noEvidence);
