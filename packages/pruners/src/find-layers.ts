import {
  type AxisRules,
  type Graph,
  indexOf,
  isFloat,
  type Node,
  type Note,
  sizeOf,
  subgraphsOf,
  type Use,
  type ValueId,
} from '@espalier/core';
import { isRefusal, layerOf, operandsOf } from '@espalier/ops';
import { chooseWeights } from './choose-weights.js';
import { type Pattern, patternText } from './granularity.js';
import type { PruneLayer } from './prune-layer.js';
import type { CheckedPruneOptions } from './prune-options.js';
import { prunableOps, type Reduction, reductionOf } from './weight-rules.js';

/** The layers to prune, in the order of the nodes that read them, and why others are left. */
export interface FoundLayers {
  readonly layers: readonly PruneLayer[];
  readonly notes: readonly Note[];
}

/** Finds every constant weight of the wanted ops once, however many nodes share it. */
export function findLayers(graph: Graph, options: CheckedPruneOptions): FoundLayers {
  const layers: PruneLayer[] = [];
  const notes: Note[] = [];
  const seen = new Set<ValueId>();
  const outputs = new Set(graph.outputs);
  const choice = chooseWeights(options);
  for (const node of graph.nodes) {
    const aside = notPruned(graph, node, options);
    if (aside) notes.push({ node: node.id, op: node.op, outcome: 'kept', reason: aside });
    const layer = options.ops.includes(node.op) ? layerOf(graph, node, options.rules) : undefined;
    if (!layer || isRefusal(layer)) continue;
    for (const { value, outputs: made } of layer.weights) {
      if (seen.has(value)) continue;
      seen.add(value);
      const weight = graph.constants.get(value)!; // weights of layers are constants
      const keep = (reason: string) => notes.push({ node: node.id, op: node.op, value, outcome: 'kept', reason });
      const { shape, dtype } = weight;
      if (!isFloat(dtype) || made.length === 0 || sizeOf(shape) === 0) {
        keep(`Its ${dtype}[${shape.join(',')}] constant is no weight that can be pruned.`);
        continue;
      }
      const uses = indexOf(graph).uses.get(value) ?? [];
      const readers = outputs.has(value) ? undefined : readersOf(graph, uses, options.rules);
      if (!readers) {
        keep('The weight is read as something else too, and pruning it would change that.');
        continue;
      }
      const chosen = choice.of(value, uses, sizeOf(shape));
      if (typeof chosen === 'string') {
        keep(chosen);
        continue;
      }
      const blocked = typeof chosen.goal === 'object' ? patternProblem(chosen.goal, readers) : undefined;
      if (blocked) keep(blocked);
      else layers.push({ value, weight, node: node.id, op: node.op, reduction: readers[0]!, ...chosen });
    }
  }
  return { layers, notes: [...notes, ...choice.unmatched()] };
}

/** The reduction under each reader; undefined when one of them reads the weight as something else. */
function readersOf(graph: Graph, uses: readonly Use[], rules: AxisRules | undefined): readonly Reduction[] | undefined {
  const found = uses.map((use) => (isPrunable(use.node.op, rules) ? reductionOf(graph, use, rules) : undefined));
  return found.every((each) => each !== undefined) ? found : undefined;
}

const isPrunable = (op: string, rules: AxisRules | undefined): boolean =>
  prunableOps.some((each) => each === op) || (rules?.has(op) ?? false);

function patternProblem(pattern: Pattern, readers: readonly Reduction[]): string | undefined {
  const [first, ...others] = readers;
  if (others.some((each) => each.axis !== first?.axis)) {
    return `Its readers sum over different axes, so no ${patternText(pattern)} pattern serves them all.`;
  }
  const odd = readers.find((each) => each.size % pattern.m !== 0);
  return odd && `It sums over ${odd.size} inputs, which groups of ${pattern.m} do not divide.`;
}

/** Why a node that holds weights is not looked at; undefined for nodes that hold none or are looked at. */
function notPruned(graph: Graph, node: Node, { ops, rules }: CheckedPruneOptions): string | undefined {
  const holds = (values: readonly (ValueId | undefined)[]) => values.some((value) => isMatrix(graph, value));
  if (isPrunable(node.op, rules)) {
    const layer = operandsOf(graph, node, rules);
    const values = isRefusal(layer) ? [] : layer.weights.map(({ value }) => value);
    if (!ops.includes(node.op)) return holds(values) ? `${node.op} is not among the ops to prune.` : undefined;
    const quantized = node.inputs.some((value) => isQuantized(graph, value));
    return quantized ? 'Its weight is quantized already: prune before quantizing.' : undefined;
  }
  if (subgraphsOf(node).some((body) => [...body.constants.keys()].some((value) => isMatrix(body, value)))) {
    return 'Weights inside its subgraphs are not pruned.';
  }
  if (node.op.includes('::') && holds(node.inputs)) return 'The layout of its weights is not known.';
  return undefined;
}

function isMatrix(graph: Graph, value: ValueId | undefined): boolean {
  const tensor = value === undefined ? undefined : graph.constants.get(value);
  return tensor !== undefined && isFloat(tensor.dtype) && tensor.shape.length >= 2;
}

function isQuantized(graph: Graph, value: ValueId | undefined): boolean {
  const maker = value === undefined ? undefined : indexOf(graph).producer.get(value);
  const source = maker?.inputs[0];
  return maker?.op === 'DequantizeLinear' && source !== undefined && graph.constants.has(source);
}
