import { trainingForm } from '@espalier/autodiff';
import {
  type Executor,
  editGraph,
  floats,
  type Graph,
  indexOf,
  type Tensor,
  usesOf,
  type ValueId,
} from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { removeDeadNodes } from '@espalier/passes';

/** Batches of feeds by input name. */
export type Feeds = AsyncIterable<ReadonlyMap<string, Tensor>> | Iterable<ReadonlyMap<string, Tensor>>;

/**
 * Recomputes the running statistics of batch norms after the weights changed (pruned, rounded, averaged):
 * forward passes of the training form, whose batch statistics b = 1..n of N_b samples each combine to those of all
 * samples,
 *
 *     mean = Σ N_b mean_b / N,   variance = Σ N_b (variance_b + mean_b²) / N - mean².
 *
 * Both sums are in float64. The same graph comes back when it has no batch norm with statistics of its own.
 */
export async function reestimateBatchNorm(graph: Graph, batches: Feeds, executor: Executor): Promise<Graph> {
  const form = trainingForm(graph);
  const nodes = form.nodes.filter(({ op }) => op === 'espalier::BatchNormTraining');
  const names = nodes.flatMap(({ outputs }) => [outputs[1]!, outputs[2]!]); // y, mean, variance
  if (names.length === 0) return graph;
  const sums = new Map<string, Moments>();
  const session = await executor.open(inferShapes({ ...form, outputs: names }));
  try {
    for await (const feeds of batches) {
      const results = await session.run(feeds, names);
      const samples = [...feeds.values()][0]?.shape[0] ?? 1;
      for (const { id, outputs } of nodes) {
        const [mean, variance] = [outputs[1]!, outputs[2]!].map((name) => results.get(name)!.data as Float32Array); // the op computes float32
        add(sums, id, { samples, mean: mean!, variance: variance! });
      }
    }
  } finally {
    await session.close();
  }
  return sums.size === 0 ? graph : withStatistics(graph, sums);
}

interface Moments {
  samples: number;
  readonly mean: Float64Array;
  readonly square: Float64Array;
}

type BatchMoments = {
  readonly samples: number;
  readonly mean: ArrayLike<number>;
  readonly variance: ArrayLike<number>;
};

function add(sums: Map<string, Moments>, id: string, { samples, mean, variance }: BatchMoments): void {
  const of = sums.get(id) ?? { samples: 0, mean: new Float64Array(mean.length), square: new Float64Array(mean.length) };
  sums.set(id, of);
  of.samples += samples;
  for (let c = 0; c < mean.length; c++) {
    of.mean[c]! += samples * mean[c]!;
    of.square[c]! += samples * (variance[c]! + mean[c]! ** 2);
  }
}

/** Batch norms are found by node id, which the training form keeps. Each gets constants of its own. */
function withStatistics(graph: Graph, sums: ReadonlyMap<string, Moments>): Graph {
  const draft = editGraph(graph);
  for (const [id, { samples, mean, square }] of sums) {
    const node = indexOf(graph).node.get(id);
    if (node?.op !== 'BatchNormalization') continue;
    const means = Float32Array.from(mean, (sum) => sum / samples);
    const variances = Float32Array.from(square, (sum, c) => Math.max(0, sum / samples - (mean[c]! / samples) ** 2));
    const own = (slot: number, what: string): ValueId => {
      const value = node.inputs[slot]!; // the training form has only batch norms with all five inputs
      return usesOf(graph, value).length === 1 ? value : draft.fresh(`${id}_${what}`);
    };
    const [meanName, varianceName] = [own(3, 'mean'), own(4, 'variance')];
    draft.setConstant(meanName, floats(means));
    draft.setConstant(varianceName, floats(variances));
    draft.replace(id, { ...node, inputs: [...node.inputs.slice(0, 3), meanName, varianceName] });
  }
  return removeDeadNodes(draft.finish());
}
