import { type CalibrationRun, calibrate } from '@espalier/calibration';
import type { Graph, Need, Note, Outcome, Regression, ValueId } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { removeDeadNodes } from '@espalier/passes';
import { badDamping } from '../../errors.js';
import type { CoupledGraph } from '../coupled.js';
import { type Removals, remainingAfter } from '../removal.js';
import { bothGraphs } from './both-graphs.js';
import { type Consumer, consumerOf, type Unfitted } from './consumer.js';
import { fitLayer } from './fit-layer.js';
import { type LayerFit, setFits, weightRows } from './set-fit.js';

/** A coupled graph, and what became of it. */
export interface CutGraph {
  readonly net: CoupledGraph;
  /** The graph that `cut` returned for these removals. */
  readonly graph: Graph;
  readonly removals: Removals;
}

/** Options of `reconstruct`. */
export interface ReconstructOptions {
  /** λ of the fit, as a share of the mean square of a layer's inputs. Default: 0.01. */
  readonly damping?: number;
  /**
   * Layers that sum over more inputs are left: XᵀX of n inputs takes 8n² bytes several times over, and n³/6
   * products. Default: 4608 (3x3 over 512 channels: 170 MB each, half a minute).
   */
  readonly maximumInputs?: number;
}

/**
 * Least-squares reconstruction of layers that read removed units, from unlabelled data (He, Zhang and Sun 2017, arXiv
 * 1707.06168): layer after layer in the order of the graph, weights and biases are fitted such that the output comes
 * nearest to what the uncut network computes there, given the inputs that the cut network has there. Both networks
 * run side by side; only XᵀX and YᵀX leave the runtime. Layers that do not depend on each other share a run, so that
 * the data goes through as often as layers stand behind each other.
 * @throws PRUNE_DAMPING, PRUNE_GROUP, and what `calibrate` throws.
 */
export async function reconstruct(
  { net, graph, removals }: CutGraph,
  run: CalibrationRun,
  { damping = 0.01, maximumInputs = 4608 }: ReconstructOptions = {},
): Promise<Outcome> {
  if (!(damping >= 0 && damping < Number.POSITIVE_INFINITY)) throw badDamping(damping);
  const before = net.graph;
  const remaining = remainingAfter(net, removals);
  const found = graph.nodes.flatMap(
    (node) => consumerOf({ before, after: graph, remaining, maximumInputs }, node) ?? [],
  );
  const consumers = found.filter((each): each is Consumer => 'weight' in each);
  const notes: Note[] = found
    .filter((each): each is Unfitted => !('weight' in each))
    .map(({ node, reason }) => ({
      node: node.id,
      op: node.op,
      outcome: 'kept',
      reason: `Its weights were not fitted to what is left: ${reason}.`,
    }));
  let current = graph;
  const stages = stagesOf(graph, consumers, maximumInputs);
  for (const [i, stage] of stages.entries()) {
    const { fits, unexplained } = await fitStage(current, before, {
      stage,
      damping,
      run: {
        ...run,
        progress: (done, message) =>
          run.progress?.((i + done) / stages.length, `${message}, layers ${i + 1} of ${stages.length}`),
      },
    });
    current = setFits(current, fits);
    notes.push(...fits.map(({ consumer }, k) => fittedNote(consumer, unexplained[k]!)));
  }
  return { graph: consumers.length > 0 ? inferShapes(removeDeadNodes(current)) : graph, notes };
}

/** Consumers in the order of the graph; those in one stage do not depend on each other. */
function stagesOf(
  graph: Graph,
  consumers: readonly Consumer[],
  maximumInputs: number,
): readonly (readonly Consumer[])[] {
  const byNode = new Map<string, Consumer>(consumers.map((each) => [each.node.id, each]));
  const depth = new Map<ValueId, number>();
  const stages: Consumer[][] = [];
  for (const node of graph.nodes) {
    let at = 0;
    for (const value of node.inputs) if (value !== undefined) at = Math.max(at, depth.get(value) ?? 0);
    const consumer = byNode.get(node.id);
    if (consumer) {
      const stage = stages[at] ?? [];
      stage.push(consumer);
      stages[at++] = stage;
    }
    for (const value of node.outputs) if (value !== undefined) depth.set(value, at);
  }
  return stages.flatMap((stage) => inParts(stage, maximumInputs ** 2));
}

/** Splits a stage such that the sums of each part hold not much more than the largest allowed layer's. */
function inParts(stage: readonly Consumer[], most: number): readonly (readonly Consumer[])[] {
  const parts: Consumer[][] = [[]];
  let held = 0;
  for (const each of stage) {
    const own = each.groups * each.size ** 2;
    if (held > 0 && held + own > most) {
      parts.push([]);
      held = 0;
    }
    held += own;
    parts.at(-1)!.push(each);
  }
  return parts;
}

interface Stage {
  readonly stage: readonly Consumer[];
  readonly damping: number;
  readonly run: CalibrationRun;
}

async function fitStage(
  current: Graph,
  before: Graph,
  { stage, damping, run }: Stage,
): Promise<{ readonly fits: readonly LayerFit[]; readonly unexplained: readonly number[] }> {
  const { graph, nameOf } = bothGraphs(current, before);
  const needOf = ({ node, target, groups }: Consumer, group: number) =>
    ({ statistic: 'regression', node: node.id, target: nameOf(target), ...(groups > 1 ? { group } : {}) }) as const;
  const needs: readonly Need[] = stage.flatMap((each) => each.outputs.map((_, group) => needOf(each, group)));
  const wanted = new Set(stage.flatMap(({ node, target }) => [node.outputs[0]!, nameOf(target)]));
  const evidence = await calibrate(removeDeadNodes({ ...graph, outputs: [...wanted] }), needs, run);
  const unexplained: number[] = [];
  const fits = stage.map((consumer): LayerFit => {
    const tensor = current.constants.get(consumer.weight)!; // as it was found
    const parts = consumer.outputs.map((outputs, group) => {
      const sums: Regression = evidence.find(needOf(consumer, group))!; // just collected
      return fitLayer({ sums, outputs, weight: weightRows(consumer, tensor, group), damping });
    });
    unexplained.push(parts.reduce((sum, part) => sum + part.unexplained, 0) / parts.length);
    return {
      consumer,
      weights: parts.map(({ weight }) => weight),
      bias: parts.flatMap(({ bias }) => [...bias]),
    };
  });
  return { fits, unexplained };
}

function fittedNote({ node, size }: Consumer, unexplained: number): Note {
  return {
    node: node.id,
    op: node.op,
    outcome: 'pruned',
    reason: `Its weights were fitted to the ${size} inputs left: they explain ${(100 * (1 - unexplained)).toFixed(1)} % of the variance of what it computed.`,
    details: { inputs: size, unexplained },
  };
}
