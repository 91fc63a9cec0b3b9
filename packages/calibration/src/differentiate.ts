import { crossEntropy, gradients } from '@espalier/autodiff';
import {
  buildGraph,
  createNode,
  editGraph,
  type GradientOf,
  type Graph,
  indexOf,
  int,
  type LossSite,
  opsetOf,
  problem,
  type StatisticsGraph,
  tensorInfo,
  type ValueId,
} from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { convertOpset, foldConstants } from '@espalier/passes';
import { gradientNotAsked } from './errors.js';

/** The target of the loss. */
export type LossTarget = 'labels' | 'predictions';

/** A model with the gradients of its loss. */
export interface Differentiated {
  /** Every value of the model keeps its name. */
  readonly graph: Graph;
  readonly gradient: StatisticsGraph['gradient'];
  /** The input for class numbers (int64 [batch]); absent where the model's own predictions are the target. */
  readonly label?: ValueId;
  /** The number of classes, where known. */
  readonly classes?: number;
}

const smallestOpset = 18; // of the derivatives

/**
 * Appends the cross-entropy of the first output against class numbers, or against the class that the model itself holds
 * for the likeliest, and its gradients. The model is as in inference: batch norms keep their running statistics.
 * @throws AUTODIFF_OP, AUTODIFF_SHAPE, AUTODIFF_FORM, AUTODIFF_LOSS, AUTODIFF_DTYPE where that is not possible.
 */
export function differentiate(model: Graph, wanted: readonly GradientOf[], target: LossTarget): Differentiated {
  const current = opsetOf(model) < smallestOpset ? convertOpset(model, smallestOpset) : model;
  const { graph: split, reads } = splitReads(current, wanted);
  const weights = [...new Set(wanted.filter((each) => typeof each === 'string'))];
  // As inputs they are not folded into what is computed from them.
  const settled = foldConstants(inferShapes(constantsAsInputs(split, weights)));
  const { graph, loss, label, classes } = withLoss(settled, target);
  const found = gradients(graph, loss, [...weights, ...reads.values()]);
  const gradientOf = (value: ValueId | undefined) => {
    const gradient = value === undefined ? undefined : found.gradients.get(value);
    if (value === undefined || gradient === undefined) throw gradientNotAsked();
    return { gradient, read: value };
  };
  return {
    graph: inputsAsConstants(found.graph, current, weights),
    gradient: (of) => gradientOf(typeof of === 'string' ? of : reads.get(keyOf(of))),
    ...(label === undefined ? {} : { label }),
    ...(classes === undefined ? {} : { classes }),
  };
}

const keyOf = ({ node, slot }: { readonly node: string; readonly slot: number }) => `${slot} ${node}`;

/** Gives each read that is differentiated to a value of its own, so that its gradient is that of this read alone. */
function splitReads(graph: Graph, wanted: readonly GradientOf[]) {
  const draft = editGraph(graph);
  const reads = new Map<string, ValueId>();
  const inputs = new Map<string, (ValueId | undefined)[]>();
  for (const of of wanted) {
    if (typeof of === 'string' || reads.has(keyOf(of))) continue;
    const node = indexOf(graph).node.get(of.node)!; // needs were checked
    const own = inputs.get(node.id) ?? [...node.inputs];
    inputs.set(node.id, own);
    const value = node.inputs[of.slot]!; // as above
    const read = draft.fresh(`${value}_read`);
    const info = tensorInfo(graph, value);
    draft.insertBefore(node.id, createNode({ id: read, op: 'Identity', inputs: [value], outputs: [read] }));
    if (info) draft.setInfo(read, { dtype: info.dtype, ...(info.shape ? { shape: info.shape } : {}) });
    own[of.slot] = read;
    reads.set(keyOf(of), read);
  }
  for (const [id, own] of inputs) draft.replace(id, { ...indexOf(graph).node.get(id)!, inputs: own });
  return { graph: draft.finish(), reads };
}

function constantsAsInputs(graph: Graph, names: readonly ValueId[]): Graph {
  const constants = new Map(graph.constants);
  const values = new Map(graph.values);
  for (const name of names) {
    const { dtype, shape } = graph.constants.get(name)!; // needs were checked
    if (dtype !== 'float32') {
      throw problem('AUTODIFF_DTYPE', {
        where: `weight "${name}"`,
        expected: 'float32',
        found: dtype,
        fix: 'Take gradients of the float32 model, and convert or quantize it afterwards.',
      });
    }
    constants.delete(name);
    values.set(name, { dtype, shape });
  }
  return { ...graph, inputs: [...graph.inputs, ...names], constants, values };
}

function inputsAsConstants(graph: Graph, source: Graph, names: readonly ValueId[]): Graph {
  const own = new Set(names);
  const constants = new Map(graph.constants);
  for (const name of names) constants.set(name, source.constants.get(name)!); // they come from there
  return { ...graph, inputs: graph.inputs.filter((name) => !own.has(name)), constants };
}

function withLoss(graph: Graph, target: LossTarget) {
  const output = graph.outputs[0];
  if (output === undefined) {
    throw problem('AUTODIFF_LOSS', { where: `graph "${graph.name}"`, expected: 'an output', found: 'none' });
  }
  const info = tensorInfo(graph, output) ?? { dtype: 'float32' };
  const site: LossSite = { output: info, info: (value) => tensorInfo(graph, value) };
  const entropy = crossEntropy();
  const type = entropy.target?.(site) ?? { dtype: 'int64', shape: ['batch'] };
  const end = indexOf(graph).producer.get(output);
  const logits = end?.op === 'Softmax' ? (end.inputs[0] ?? output) : output; // the loss has a softmax of its own
  const b = buildGraph(graph);
  const label = target === 'labels' ? b.input('label', type.dtype, type.shape ?? ['batch']) : undefined;
  const likeliest = () => b.add('ArgMax', [logits], { attributes: { axis: int(1), keepdims: int(0) } });
  const loss = entropy.build(b, { output: logits, target: label ?? likeliest() });
  const classes = info.shape?.[1];
  return { graph: b.finish(), loss, label, classes: typeof classes === 'number' ? classes : undefined };
}
