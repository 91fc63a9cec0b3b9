import {
  type Graph,
  indexOf,
  intOf,
  isFloat,
  type Node,
  outerReferences,
  sizeOf,
  textOf,
  type ValueId,
} from '@espalier/core';
import { scaleAnswer, shiftAnswer } from './arithmetic-constants.js';
import { derivativeOf } from './derivative-of.js';
import { type ParameterRole, type SlotUse, slotUseOf } from './parameter-slots.js';
import type { Flow, UseAnswer } from './use-answer.js';

/** One place where a float constant is read, itself or after being moved (transposed, expanded, joined). */
export interface ConstantUse {
  /** The node that uses it, behind those that move it. */
  readonly node: Node;
  readonly slot: number;
  readonly answer: UseAnswer;
}

interface Walk extends Flow {
  readonly active: Set<ValueId>;
  readonly behindLayer: Set<ValueId>;
  readonly settled: Set<ValueId>;
  /** The constants that a value consists of. */
  readonly carried: Map<ValueId, readonly ValueId[]>;
  /** Values from which a gradient of some output comes back. */
  readonly reached: ReadonlySet<ValueId>;
  readonly uses: Map<ValueId, ConstantUse[]>;
}

/** Every use of every float constant of a graph, subgraphs left out. Shapes that inference found help to tell more. */
export function constantUses(graph: Graph): ReadonlyMap<ValueId, readonly ConstantUse[]> {
  const floats = [...graph.constants].filter(([, { dtype }]) => isFloat(dtype)).map(([value]) => value);
  const walk: Walk = {
    graph,
    active: new Set(graph.inputs),
    behindLayer: new Set(),
    settled: new Set(),
    carried: new Map(floats.map((value) => [value, [value]])),
    reached: reachedBackwards(graph),
    uses: new Map(floats.map((value) => [value, []])),
  };
  for (const node of graph.nodes) visit(walk, node);
  return walk.uses;
}

/** The use that decides what a constant is: one that keeps it as it is, else one that trains it, else the first. */
export const decidingUse = (uses: readonly ConstantUse[]): ConstantUse | undefined =>
  uses.find(({ answer }) => answer.role === undefined && answer.settles) ??
  uses.find(({ answer }) => answer.role !== undefined) ??
  uses[0];

function visit(walk: Walk, node: Node): void {
  const use = slotUseOf(node.op);
  const outputs = node.outputs.filter((value) => value !== undefined);
  const moved = use && movedBy(walk, node, use);
  if (moved) for (const value of outputs) walk.carried.set(value, moved);
  let trained = false;
  for (const [slot, value] of node.inputs.entries()) {
    for (const constant of (value === undefined ? undefined : walk.carried.get(value)) ?? []) {
      if (moved?.includes(constant)) continue;
      const answer = answerOf(walk, { node, slot, use, constant });
      trained ||= answer.role !== undefined;
      if (answer.role === undefined && answer.settles) walk.settled.add(constant);
      walk.uses.get(constant)!.push({ node, slot, answer }); // carried values are keys of it
    }
  }
  if (moved) return;
  const inputs = [...node.inputs, ...outerReferences(node)];
  const layer = trained && (use?.kind === 'layer' || use?.kind === 'lookup');
  if (layer || inputs.some((value) => walk.active.has(value!))) for (const value of outputs) walk.active.add(value);
  if (layer || inputs.some((value) => walk.behindLayer.has(value!)))
    for (const value of outputs) walk.behindLayer.add(value);
}

/** The constants whose elements a node hands on, where it does no more than that. */
function movedBy(walk: Walk, node: Node, use: SlotUse): readonly ValueId[] | undefined {
  const of = (value: ValueId | undefined) => (value === undefined ? undefined : walk.carried.get(value));
  const [first, second] = node.inputs;
  switch (use.kind) {
    case 'movement':
      return of(first);
    case 'lookup':
      return walk.active.has(second!) ? undefined : of(first);
    case 'join':
    case 'shift': {
      const parts = node.inputs.map(of);
      const whole = parts.every((each) => each?.every((value) => !isSingle(walk.graph, value)));
      return whole ? [...new Set(parts.flat() as ValueId[])] : undefined; // all of them are lists, as checked
    }
    case 'scale':
      if (of(first) && of(second)?.every((value) => isSingle(walk.graph, value))) return of(first);
      return node.op === 'Mul' && of(first)?.every((value) => isSingle(walk.graph, value)) ? of(second) : undefined;
    default:
      return undefined;
  }
}

interface Site {
  readonly node: Node;
  readonly slot: number;
  readonly use: SlotUse | undefined;
  readonly constant: ValueId;
}

function answerOf(walk: Walk, { node, slot, use, constant }: Site): UseAnswer {
  const { shape } = walk.graph.constants.get(constant)!; // walks carry constants only
  const passes = node.outputs.some((value) => value !== undefined && walk.reached.has(value));
  if (!passes || derivativeOf(node.op).rule === 'flat')
    return { reason: `no gradient of an output comes through ${node.op}` };
  switch (use?.kind) {
    case 'layer': {
      const role = node.op === 'espalier::FakeQuantize' ? quantizerRole(node, slot) : use.roles[slot];
      if (role === undefined) return { reason: slot === 0 ? `data of ${node.op}` : use.others };
      if (shape.length === 0 && role !== 'quantizer') return { reason: 'a single number' };
      return isAngle(walk.graph, node) ? { reason: 'a factor of angles, under Sin and Cos', settles: true } : { role };
    }
    case 'lookup':
      return slot === 0 && shape.length > 0 ? { role: 'weight' } : { reason: 'data of Gather' };
    case 'join':
      return shape.length > 3
        ? { reason: 'planes put beside those of an image (padding, coordinates)' }
        : sizeOf(shape) === 1
          ? { reason: 'a single number' }
          : { role: 'bias' };
    case 'shift':
      return shiftAnswer(walk, { node, slot, constant });
    case 'scale':
      return scaleAnswer(walk, { node, slot, constant });
    case 'movement':
      return { reason: sizeOf(shape) === 1 ? 'a single number' : `an option of ${node.op}` };
    case 'fixed':
      return { reason: use.is };
    default:
      return { reason: `read by ${node.op}, which has no derivative` };
  }
}

/** The role of a constant that a fake-quantizer reads: a weight, its scale or zero point, or nothing that is trained. */
function quantizerRole(node: Node, slot: number): ParameterRole | undefined {
  if (slot === 1) return intOf(node, 'learned', 1) === 1 ? 'quantizer' : undefined;
  if (slot !== 0) return undefined;
  const what = textOf(node, 'role', 'weight');
  return what === 'weight' ? 'weight' : what === 'offset' ? 'quantizer' : undefined;
}

const isSingle = (graph: Graph, constant: ValueId): boolean => sizeOf(graph.constants.get(constant)!.shape) === 1; // walks carry constants only

/** Whether all that is made of a node's output, but for being moved or scaled, goes into Sin and Cos. */
function isAngle(graph: Graph, node: Node): boolean {
  const { uses } = indexOf(graph);
  const open = [...node.outputs];
  let found = false;
  for (let value = open.pop(); value !== undefined || open.length > 0; value = open.pop()) {
    if (value === undefined) continue;
    if (graph.outputs.includes(value)) return false;
    for (const { node: reader } of uses.get(value) ?? []) {
      const kind = slotUseOf(reader.op)?.kind;
      if (reader.op === 'Sin' || reader.op === 'Cos') found = true;
      else if (kind === 'movement' || kind === 'join' || kind === 'scale') open.push(...reader.outputs);
      else return false;
    }
  }
  return found;
}

/** Values with a differentiable way to an output of the graph. */
function reachedBackwards(graph: Graph): ReadonlySet<ValueId> {
  const reached = new Set(graph.outputs);
  for (const node of [...graph.nodes].reverse()) {
    if (derivativeOf(node.op).rule === 'flat' || !node.outputs.some((value) => reached.has(value!))) continue;
    for (const value of [...node.inputs, ...outerReferences(node)]) if (value !== undefined) reached.add(value);
  }
  return reached;
}
