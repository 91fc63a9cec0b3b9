import {
  type AxisRules,
  byteLength,
  bytesFor,
  checkKeys,
  type Graph,
  indexOf,
  inSight,
  type KeysOf,
  type Node,
  sizeOf,
  tensorInfo,
  type ValueId,
  type ValueInfo,
} from '@espalier/core';
import {
  bodiesOf,
  type ConstantOwners,
  codingOf,
  constantOwners,
  contradicts,
  countZeros,
  loneSite,
  multiplyAdds,
  type ProductRule,
  parametersOf,
  productRuleOf,
  runsBodies,
} from '@espalier/ops';
import { activationMemory } from './activation-memory.js';
import { bindInfo, boundShapes, type Sizes, sizesFor } from './bound-shapes.js';
import type { Costs, LayerCost, UnknownCost } from './costs.js';
import { operandBits } from './operand-bits.js';

/** Options for counting costs. */
export interface CostOptions {
  /** Sizes of symbolic dimensions; the leading one of an input (the batch) is 1 unless it stands here. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** Axis rules of plugins: the MACs of their ops follow from them (see `axisRulesOf`). */
  readonly rules?: AxisRules;
}

const keys: KeysOf<CostOptions> = { sizes: true, rules: true };

/**
 * Parameters, bytes, MACs, BOPs and activation memory of a graph, by node and in all. A symbolic batch counts as one
 * sample. A node whose shapes are not known is listed in `unknown`, and then the totals are undefined rather than
 * wrong. `costsOf(graph, { sizes: { sequence: 128 } })` gives other symbols a size.
 */
export function costsOf(graph: Graph, options: CostOptions = {}): Costs {
  checkKeys<CostOptions>('costsOf', options, keys);
  const sizes = sizesFor(graph, new Map(Object.entries(options.sizes ?? {})));
  const bound = boundShapes(graph, sizes);
  return costsWithin(bound, { sizes, rules: options.rules, sight: bound, outer: () => undefined });
}

/** The context of a graph during counting. */
interface Surroundings {
  readonly sizes: Sizes;
  readonly rules: AxisRules | undefined;
  /** The graph with all that surrounds it in sight. */
  readonly sight: Graph;
  /** Types of values of the graphs around it. */
  readonly outer: (value: ValueId) => ValueInfo | undefined;
}

interface Scope extends Surroundings {
  readonly graph: Graph;
  readonly infoOf: (value: ValueId) => ValueInfo | undefined;
  readonly shapeOf: (value: ValueId | undefined) => readonly number[] | undefined;
  readonly owners: ConstantOwners;
}

function costsWithin(graph: Graph, surroundings: Surroundings): Costs {
  const scope = scopeOf(graph, surroundings);
  const unknown: UnknownCost[] = [];
  const held = constantsByNode(scope);
  const assumed: UnknownCost[] = [];
  const nodes = graph.nodes.map((node): LayerCost => {
    const { cost, reason, assumption } = nodeCost(node, scope);
    if (reason !== undefined) unknown.push({ node: node.id, op: node.op, reason });
    if (assumption !== undefined) assumed.push({ node: node.id, op: node.op, reason: assumption });
    const own = held.get(node.id);
    return {
      node: node.id,
      op: node.op,
      ...(cost.weight !== undefined ? { weight: cost.weight } : {}),
      parameters: (own?.parameters ?? 0) + cost.parameters,
      nonZero: (own?.nonZero ?? 0) + cost.nonZero,
      bytes: (own?.bytes ?? 0) + cost.bytes,
      macs: cost.macs,
      ...(cost.leastMacs === undefined ? {} : { leastMacs: cost.leastMacs }),
      bops: cost.bops,
      weightBits: cost.weightBits,
      activationBits: cost.activationBits,
      outputBytes: outputBytes(node, scope),
    };
  });
  const loose = [...graph.constants].filter(([value]) => !scope.owners.owner.has(value));
  return {
    parameters: sum(nodes, (each) => each.parameters),
    nonZero: sum(nodes, (each) => each.nonZero),
    bytes: sum(nodes, (each) => each.bytes) + sum(loose, ([, tensor]) => byteLength(tensor)),
    macs: unknown.length ? undefined : sum(nodes, (each) => each.macs ?? 0),
    leastMacs: unknown.length ? undefined : sum(nodes, (each) => each.leastMacs ?? each.macs ?? 0),
    bops: nodes.some((each) => each.bops === undefined) ? undefined : sum(nodes, (each) => each.bops ?? 0),
    knownMacs: sum(nodes, (each) => each.macs ?? 0),
    knownBops: sum(nodes, (each) => each.bops ?? 0),
    unknown,
    assumed,
    nodes,
    layers: nodes.filter((each) => each.parameters > 0 || each.macs !== 0),
    activations: activationMemory(graph, { fixed: scope.owners.fixed, bytesOf: (value) => bytesOf(value, scope) }),
    sizes: Object.fromEntries(surroundings.sizes),
  };
}

function scopeOf(graph: Graph, surroundings: Surroundings): Scope {
  const infoOf = (value: ValueId) => {
    const info = tensorInfo(graph, value) ?? surroundings.outer(value);
    return info && bindInfo(info, surroundings.sizes);
  };
  const shapeOf = (value: ValueId | undefined) => {
    const shape = value === undefined ? undefined : infoOf(value)?.shape;
    return shape?.every((dim): dim is number => typeof dim === 'number') ? (shape as readonly number[]) : undefined;
  };
  return { ...surroundings, graph, infoOf, shapeOf, owners: constantOwners(graph) };
}

const sum = <T>(list: readonly T[], of: (each: T) => number): number =>
  list.reduce((total, each) => total + of(each), 0);

type Held = { parameters: number; nonZero: number; bytes: number };

/** Parameters, non-zero parameters and bytes of the constants that each node is the first to read. */
function constantsByNode({ graph, owners }: Scope): ReadonlyMap<string, Held> {
  const held = new Map<string, Held>();
  for (const [value, tensor] of graph.constants) {
    const owner = owners.owner.get(value);
    if (!owner) continue;
    const own = held.get(owner.id) ?? { parameters: 0, nonZero: 0, bytes: 0 };
    const parameters = parametersOf(graph, value);
    own.bytes += byteLength(tensor);
    own.parameters += parameters;
    // Codes packed in a way that no rule reads are taken as non-zero.
    const readable = parameters === sizeOf(tensor.shape) || codingOf(graph, value) !== undefined;
    own.nonZero += parameters > 0 && readable ? parameters - countZeros(graph, value) : parameters;
    held.set(owner.id, own);
  }
  return held;
}

type OwnCost = Omit<LayerCost, 'node' | 'op' | 'outputBytes'>;
const nothing: OwnCost = {
  parameters: 0,
  nonZero: 0,
  bytes: 0,
  macs: 0,
  bops: 0,
  weightBits: undefined,
  activationBits: undefined,
};
const uncounted: OwnCost = { ...nothing, macs: undefined, bops: undefined };

interface Found {
  readonly cost: OwnCost;
  /** Why it could not be counted. */
  readonly reason?: string;
  /** The assumption under which it was counted. */
  readonly assumption?: string;
}

function nodeCost(node: Node, scope: Scope): Found {
  const { owners, rules, sight } = scope;
  if (runsBodies(sight, node)) return bodyCost(node, scope);
  // Work on constants alone is done once, when the model is loaded.
  if (node.outputs.every((value) => value === undefined || owners.fixed.has(value))) return { cost: nothing };
  const site = loneSite(sight, node, scope.shapeOf);
  const rule = productRuleOf(site, rules?.get(node.op));
  if (rule === undefined) return { cost: nothing };
  if (typeof rule === 'string') return { cost: uncounted, reason: rule };
  const products = rule.products(site);
  const macs = products && multiplyAdds(products);
  return productCost(node, { rule, macs, scope });
}

interface Counted {
  readonly rule: ProductRule;
  readonly macs: number | undefined;
  readonly scope: Scope;
}

function productCost(node: Node, { rule, macs, scope }: Counted) {
  const { graph, owners } = scope;
  const weight = weightConstant(node, { rule, graph, owners });
  const named = weight === undefined ? {} : { weight };
  const bits = rule.operands.map((slot) => operandBits(graph, node, slot));
  const [a, w] = isFixed(node.inputs[rule.operands[0]], owners) ? [bits[1], bits[0]] : bits;
  const bops = macs === undefined || a === undefined || w === undefined ? undefined : macs * a * w;
  const cost: OwnCost = { ...nothing, ...named, macs, bops, weightBits: w, activationBits: a };
  return macs === undefined ? { cost, reason: missingShape(node, scope) } : { cost };
}

const isFixed = (value: ValueId | undefined, owners: ConstantOwners) => value !== undefined && owners.fixed.has(value);

function missingShape(node: Node, { infoOf, shapeOf }: Scope): string {
  const missing = [...node.inputs, ...node.outputs].find((value) => value !== undefined && !shapeOf(value));
  if (missing === undefined) return 'its shapes do not fit its rule';
  const shape = infoOf(missing)?.shape;
  return `the shape of "${missing}" is ${shape ? `[${shape.join(', ')}]` : 'not known'}`;
}

/** The constant behind the weight operand, through DequantizeLinear, Transpose and the like. */
function weightConstant(
  node: Node,
  { rule, graph, owners }: { readonly rule: ProductRule; readonly graph: Graph; readonly owners: ConstantOwners },
): ValueId | undefined {
  const { producer } = indexOf(graph);
  for (const slot of [...rule.operands].reverse()) {
    let value = node.inputs[slot];
    while (value !== undefined && owners.fixed.has(value) && !graph.constants.has(value)) {
      value = producer.get(value)?.inputs[0];
    }
    if (value !== undefined && graph.constants.has(value)) return value;
  }
  return undefined;
}

/** If: the costlier branch that its sizes allow. Loop and Scan: the body as often as it runs. A call: its function. */
function bodyCost(node: Node, { sizes, rules, sight, infoOf }: Scope): Found {
  const bodies = bodiesOf(sight, node, infoOf).map((body) => {
    const { graph, called } = body;
    const surroundings = called
      ? { sight: graph, outer: () => undefined }
      : { sight: inSight(graph, sight), outer: infoOf };
    return { ...body, cost: costsWithin(graph, { sizes, rules, ...surroundings }) };
  });
  // The constants of a call are those of the graph around it.
  const holders = bodies.filter(({ called }) => !called).map(({ cost }) => cost);
  const held = {
    parameters: sum(holders, (each) => each.parameters),
    nonZero: sum(holders, (each) => each.nonZero),
    bytes: sum(holders, (each) => each.bytes),
  };
  const isPossible = ({ graph, cost }: (typeof bodies)[number]) =>
    cost.macs !== undefined || node.op !== 'If' || !contradicts(graph, sight);
  const possible = bodies.filter(isPossible);
  const reason = possible.flatMap(({ cost, times }) => reasonOf(cost, times) ?? [])[0];
  if (reason !== undefined) return { cost: { ...uncounted, ...held }, reason };
  const counts = possible.map(({ cost, times }) => timesCost(cost, times ?? 0)); // 0 of none
  const most = counts.reduce((a, b) => (b.macs > a.macs ? b : a), { macs: 0, least: 0, bops: 0 });
  const least = Math.min(...counts.map((each) => each.least));
  const left = bodies.filter((body) => !possible.includes(body)).map(({ graph }) => `"${graph.name}"`);
  return {
    cost: {
      ...nothing,
      ...held,
      macs: most.macs,
      ...(least < most.macs ? { leastMacs: least } : {}),
      bops: most.bops,
    },
    ...(left.length > 0
      ? { assumption: `its branch ${left.join(', ')} cannot run at these sizes, and is not counted` }
      : {}),
  };
}

/** Why a body cannot be counted; undefined where it can. */
function reasonOf({ macs, unknown }: Costs, times: number | undefined): string | undefined {
  const [first] = unknown;
  if (first) return `in its body, node "${first.node}": ${first.reason}`;
  return times === undefined && macs !== 0
    ? `only the data tells how often its body of ${macs} multiply-adds runs`
    : undefined;
}

const timesCost = ({ macs = 0, leastMacs = 0, bops }: Costs, times: number) => ({
  macs: times * macs,
  least: times * leastMacs,
  bops: bops === undefined ? undefined : times * bops,
});

function bytesOf(value: ValueId, { infoOf, shapeOf }: Scope): number | undefined {
  const shape = shapeOf(value);
  return shape ? bytesFor(infoOf(value)!.dtype, sizeOf(shape)) : undefined;
}

function outputBytes(node: Node, scope: Scope): number | undefined {
  let total = 0;
  for (const value of node.outputs) {
    if (value === undefined) continue;
    const bytes = bytesOf(value, scope);
    if (bytes === undefined) return undefined;
    total += bytes;
  }
  return total;
}
