import {
  createNode,
  editGraph,
  float,
  floatOf,
  type Graph,
  type Node,
  opsetOf,
  usesOf,
  type ValueId,
} from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { convertOpset, foldConstants, removeDeadNodes } from '@espalier/passes';
import { unsupportedForm } from './errors.js';
import { ownConstants } from './own-constants.js';
import { parametersOf } from './parameters-of.js';
import type { TrainingOptions } from './training-options.js';

/** The operator set that derivatives are written in. */
export const trainingOpset = 18;

/** The running statistics of one batch norm, and the batch's own. */
export interface BatchStatistics {
  /** Constants of the inference graph. */
  readonly runningMean: ValueId;
  readonly runningVariance: ValueId;
  /** The outputs of BatchNormTraining. */
  readonly mean: ValueId;
  readonly variance: ValueId;
  /** The normalised value. */
  readonly input: ValueId;
}

/** A graph in training form, and the batch norms in it. */
export interface TrainingForm {
  readonly graph: Graph;
  readonly statistics: readonly BatchStatistics[];
}

/**
 * The network as it is trained: opset 18 or newer, whatever depends on constants alone computed (parameters stay, by
 * their names, and what moves them stays with them), shapes inferred, and each BatchNormalization with constant statistics replaced by `espalier::BatchNormTraining`, which normalises with the
 * statistics of the batch. Dropout of an inference graph stays what it is there, nothing.
 * @throws PASS_OPSET where the model cannot be written in opset 18; AUTODIFF_FORM where running statistics are read.
 */
export const trainingForm = (graph: Graph): Graph => trainingFormOf(graph).graph;

/** The training form with what was found in it; see `trainingForm`. */
export function trainingFormOf(
  graph: Graph,
  { batchNorm = 'batch' }: Pick<TrainingOptions, 'batchNorm'> = {},
): TrainingForm {
  const current = inferShapes(inCurrentOpset(ownConstants(graph)));
  const settled = removeDeadNodes(inferShapes(foldedAround(current)));
  const draft = editGraph(settled);
  const statistics: BatchStatistics[] = [];
  for (const node of settled.nodes) {
    const [input, , , runningMean, runningVariance] = node.inputs;
    if (node.op !== 'BatchNormalization' || batchNorm === 'running' || input === undefined) continue;
    if (runningMean === undefined || runningVariance === undefined) continue;
    if (!settled.constants.has(runningMean) || !settled.constants.has(runningVariance)) continue;
    refuseReadStatistics(settled, node);
    const mean = draft.fresh(`${node.id}_batch_mean`);
    const variance = draft.fresh(`${node.id}_batch_variance`);
    draft.replace(node.id, batchNormTraining(node, mean, variance));
    statistics.push({ runningMean, runningVariance, mean, variance, input });
  }
  if (statistics.length > 0) draft.setOpset('espalier', 1);
  return { graph: inferShapes(draft.finish()), statistics };
}

// Weights stored in half precision, or masks written out, are computed once even if they grow a lot.
const mostGrowth = 2 ** 28;

/** Folds constants, but none of the parameters: what a file calls a weight is trained by that name. */
function foldedAround(graph: Graph): Graph {
  const held = parametersOf(graph).filter(({ tensor }) => tensor.dtype === 'float32');
  const constants = new Map(graph.constants);
  const values = new Map(graph.values);
  for (const { value, tensor } of held) {
    constants.delete(value);
    values.set(value, { dtype: tensor.dtype, shape: tensor.shape });
  }
  const inputs = [...graph.inputs, ...held.map(({ value }) => value)];
  const folded = foldConstants({ ...graph, inputs, constants, values }, { maxGrowth: mostGrowth });
  const restored = new Map(folded.constants);
  for (const { value, tensor } of held) restored.set(value, tensor);
  return { ...folded, inputs: graph.inputs, constants: restored };
}

/** A node of the training form writes running statistics, which are made otherwise here. */
function refuseReadStatistics(graph: Graph, node: Node): void {
  const read = node.outputs
    .slice(1)
    .find((value) => value !== undefined && (usesOf(graph, value).length > 0 || graph.outputs.includes(value)));
  if (read !== undefined) throw unsupportedForm(node, 'running statistics that nothing reads', `a reader of "${read}"`);
}

const batchNormTraining = (node: Node, mean: ValueId, variance: ValueId): Node =>
  createNode({
    id: node.id,
    op: 'espalier::BatchNormTraining',
    inputs: node.inputs.slice(0, 3),
    outputs: [node.outputs[0], mean, variance],
    attributes: { epsilon: float(floatOf(node, 'epsilon', 1e-5)) },
  });

/** The graph in opset 18 or newer, where reductions take their axes as inputs. */
export const inCurrentOpset = (graph: Graph): Graph =>
  opsetOf(graph) < trainingOpset ? convertOpset(graph, trainingOpset) : graph;
