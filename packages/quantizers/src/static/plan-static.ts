import { type Graph, indexOf, tensorInfo, type ValueId } from '@espalier/core';
import type { Candidates, Unit } from './find-units.js';
import type { StaticSettings } from './static-settings.js';

/** Which nodes become integer arithmetic, and which values get a grid. */
export interface StaticPlan {
  /** Quantized nodes by id. */
  readonly units: ReadonlyMap<string, Unit>;
  /** Why each float node stays float, by id. */
  readonly reasons: ReadonlyMap<string, string>;
  readonly done: ReadonlySet<string>;
  /** Quantized activations, each with the value whose range decides its grid (pass-through ops share it). */
  readonly values: ReadonlyMap<ValueId, ValueId>;
  /** Ranges that an op fixes by itself. */
  readonly fixed: ReadonlyMap<ValueId, { readonly min: number; readonly max: number }>;
}

/** The parts that a plan is made from. */
export interface StaticQuestion {
  readonly candidates: Candidates;
  readonly settings: StaticSettings;
  readonly unusable?: ReadonlySet<ValueId>;
}

/**
 * Starts with every node that could be quantized and takes away, until nothing changes, the ones that would only
 * cost: joins whose inputs come from float ops, and ops whose integer result nobody reads.
 * `unusable` values (not finite) are never quantized.
 */
export function planStatic(graph: Graph, { candidates, settings, unusable = new Set() }: StaticQuestion): StaticPlan {
  const units = new Map(candidates.units);
  const reasons = new Map(candidates.reasons);
  shrink(graph, { units, reasons, unusable, outputs: settings.outputs, convolved: convolvedIn(graph, units) });
  return { units, reasons, done: candidates.done, ...valuesOf(graph, units, settings) };
}

interface State {
  readonly units: Map<string, Unit>;
  readonly reasons: Map<string, string>;
  readonly unusable: ReadonlySet<ValueId>;
  readonly outputs: boolean;
  /** Values that convolutions write, also through ops that only join and move them. */
  readonly convolved: ReadonlySet<ValueId>;
}

function shrink(graph: Graph, state: State): void {
  const { units, reasons } = state;
  const maker = makersOf(units);
  const queue = [...units.keys()];
  const waiting = new Set(queue);
  for (let at = 0; at < queue.length; at++) {
    const id = queue[at]!;
    waiting.delete(id);
    const unit = units.get(id);
    const reason = unit && doubtOf(graph, unit, { ...state, maker });
    if (!unit || reason === undefined) continue;
    units.delete(id);
    reasons.set(id, reason);
    if (unit.tail) reasons.set(unit.tail.id, `${unit.node.op} "${id}" before it stays float`);
    const again = (other: Unit | undefined) => {
      if (other && units.has(other.node.id) && !waiting.has(other.node.id)) {
        waiting.add(other.node.id);
        queue.push(other.node.id);
      }
    };
    for (const slot of unit.slots) again(maker.get(unit.node.inputs[slot] ?? ''));
    for (const value of unit.outputs) {
      for (const use of indexOf(graph).uses.get(value) ?? []) again(units.get(use.node.id));
    }
  }
}

function convolvedIn(graph: Graph, units: ReadonlyMap<string, Unit>): ReadonlySet<ValueId> {
  const convolved = new Set<ValueId>();
  for (const node of graph.nodes) {
    const unit = units.get(node.id);
    if (!unit) continue;
    const sources = unit.slots.map((slot) => node.inputs[slot]!).filter((value) => !graph.constants.has(value));
    const all = unit.rule.role === 'anchor' ? node.op === 'Conv' : sources.every((value) => convolved.has(value));
    if (all) for (const value of unit.outputs) convolved.add(value);
  }
  return convolved;
}

function makersOf(units: ReadonlyMap<string, Unit>): ReadonlyMap<ValueId, Unit> {
  const maker = new Map<ValueId, Unit>();
  for (const unit of units.values()) for (const value of unit.outputs) maker.set(value, unit);
  return maker;
}

/** Why a unit is not worth quantizing in the present state; undefined when it is. */
function doubtOf(
  graph: Graph,
  unit: Unit,
  { units, maker, unusable, outputs, convolved }: State & { readonly maker: ReadonlyMap<ValueId, Unit> },
): string | undefined {
  const { node, rule, kernel, slots } = unit;
  const touched = [...slots.map((slot) => node.inputs[slot]!), ...unit.outputs];
  if (touched.some((value) => unusable.has(value))) return 'its values carry a mask, or their range is not finite';
  if (rule.role === 'anchor') return undefined;
  const made = (value: ValueId) => {
    const by = maker.get(value);
    return by !== undefined && units.has(by.node.id);
  };
  const activations = slots.map((slot) => node.inputs[slot]!).filter((value) => !graph.constants.has(value));
  const foreign = activations.filter((value) => !made(value));
  if (activations.length === foreign.length) return 'its inputs come from float ops';
  // Convolutions write integers in any case, so the sum of two costs least on integers. Matrix products can write float:
  // a residual stream between them that only float ops read keeps its precision and needs no conversions.
  const whole = activations.length === slots.length && foreign.length === 0;
  if (kernel.eager && whole && activations.every((value) => convolved.has(value))) return undefined;
  const costly = foreign.filter(
    (value) => !isSmall(graph, value, unit.outputs[0]!) && !isAnchored(graph, value, units),
  );
  if (costly.length > 0) return 'one of its inputs comes from a float op';
  if (outputs && unit.outputs.some((value) => graph.outputs.includes(value))) return undefined;
  const wanted = unit.outputs.some((value) => isRead(graph, value, units));
  return wanted ? undefined : 'no integer op reads its result';
}

/** Whether a quantized unit reads the value as an activation. */
export const isRead = (graph: Graph, value: ValueId, units: ReadonlyMap<string, Unit>): boolean =>
  (indexOf(graph).uses.get(value) ?? []).some((use) => units.get(use.node.id)?.slots.includes(use.slot) ?? false);

// A float value that is quantized for another op anyway.
const isAnchored = (graph: Graph, value: ValueId, units: ReadonlyMap<string, Unit>): boolean =>
  (indexOf(graph).uses.get(value) ?? []).some(({ node, slot }) => {
    const unit = units.get(node.id);
    return unit?.rule.role === 'anchor' && unit.slots.includes(slot);
  });

// A float value worth quantizing for the sake of another input: at most a quarter of the result.
function isSmall(graph: Graph, value: ValueId, output: ValueId): boolean {
  const info = tensorInfo(graph, value);
  const target = tensorInfo(graph, output);
  if (info?.dtype !== 'float32' || !info.shape || !target?.shape) return false;
  const size = (shape: readonly (number | string)[]) =>
    shape.reduce<number>((product, dim) => product * (typeof dim === 'number' ? dim : 1), 1);
  return size(info.shape) * 4 <= size(target.shape);
}

type Values = Pick<StaticPlan, 'values' | 'fixed'>;

function valuesOf(graph: Graph, units: ReadonlyMap<string, Unit>, settings: StaticSettings): Values {
  const values = new Map<ValueId, ValueId>();
  const fixed = new Map<ValueId, { readonly min: number; readonly max: number }>();
  for (const node of graph.nodes) {
    const unit = units.get(node.id);
    if (!unit) continue;
    for (const slot of unit.slots) {
      const value = node.inputs[slot]!;
      if (!graph.constants.has(value) && !values.has(value)) values.set(value, value);
    }
    for (const value of unit.outputs) {
      if (!needsOutput(graph, unit, { units, settings })) continue;
      values.set(value, unit.rule.role === 'pass' ? (values.get(node.inputs[0]!) ?? node.inputs[0]!) : value);
      const range = unit.kernel.range ?? unit.rule.fixed;
      if (range) fixed.set(value, range);
    }
  }
  return { values, fixed };
}

// A kernel that cannot write float fuses only with a QuantizeLinear behind it.
function needsOutput(
  graph: Graph,
  unit: Unit,
  { units, settings }: { readonly units: ReadonlyMap<string, Unit>; readonly settings: StaticSettings },
): boolean {
  if (!unit.kernel.floatOutput) return true;
  if (unit.outputs.some((value) => isRead(graph, value, units))) return true;
  return settings.outputs && unit.outputs.some((value) => graph.outputs.includes(value));
}
