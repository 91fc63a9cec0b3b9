import { type Graph, indexOf, type ValueId } from '@espalier/core';
import type { StaticPlan } from '../static/plan-static.js';
import type { LearnedSettings } from './learned-settings.js';

/** The widths of activations. */
export interface ActivationBits {
  /** The width of each value that has a quantizer: the widest that a reader wants. */
  readonly base: ReadonlyMap<ValueId, number>;
  /** The width in which a node reads a value of a base width. */
  readonly readBy: (node: string, base: number) => number;
}

/** The bits of a layer: those of the ends of the network for its first and last ones. */
export const bitsOfLayer = (
  id: string,
  ends: ReadonlySet<string>,
  { own, ends: wide }: { readonly own: number; readonly ends: number },
): number => (ends.has(id) ? wide : own);

/** The widths that follow from who reads what: layers their own, joins and pools those of joins. */
export function activationBits(
  graph: Graph,
  {
    plan,
    settings,
    ends,
  }: { readonly plan: StaticPlan; readonly settings: LearnedSettings; readonly ends: ReadonlySet<string> },
): ActivationBits {
  const wanted = (id: string): number | undefined => {
    const role = plan.units.get(id)?.rule.role;
    if (role === 'anchor') return bitsOfLayer(id, ends, { own: settings.activations.bits, ends: settings.ends });
    return role === 'join' ? settings.joins : undefined;
  };
  const base = new Map<ValueId, number>();
  for (const [value, root] of plan.values) {
    const bits = (indexOf(graph).uses.get(value) ?? [])
      .filter(({ node, slot }) => plan.units.get(node.id)?.slots.includes(slot))
      .map(({ node }) => wanted(node.id) ?? 0);
    base.set(root, Math.max(base.get(root) ?? 0, ...bits));
  }
  // A value that only movers or float ops read is on the grid of joins.
  for (const [root, bits] of base) if (bits === 0) base.set(root, settings.joins);
  return { base, readBy: (id, widest) => Math.min(widest, wanted(id) ?? widest) };
}
