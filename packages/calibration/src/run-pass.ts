import {
  type Evidence,
  type Executor,
  type GradientOf,
  type Graph,
  opsetOf,
  type Probe,
  type Session,
  type Tensor,
} from '@espalier/core';
import { convertOpset, removeDeadNodes } from '@espalier/passes';
import { type Differentiated, differentiate, type LossTarget } from './differentiate.js';
import { feedsOf, lookAhead } from './labelled-batches.js';
import type { Task } from './plan-passes.js';
import { observe } from './statistics-graph.js';

/** One pass over the data. */
export interface Pass {
  readonly executor: Executor;
  readonly batches: AsyncIterable<ReadonlyMap<string, Tensor>>;
  /** The statistics of earlier passes. */
  readonly earlier: Evidence;
  /** Told after each batch how many samples were seen. */
  readonly progress: (samples: number) => void;
}

/** The result of a pass: statistics by `needKey`, and the number of samples. */
export interface PassResult {
  readonly answers: ReadonlyMap<string, unknown>;
  readonly samples: number;
  /** The target of the loss, if gradients were needed. */
  readonly target?: LossTarget;
}

/** Adds the probes of all tasks to the graph, runs the data through it, and collects the answers. */
export async function runPass(graph: Graph, tasks: readonly Task[], pass: Pass): Promise<PassResult> {
  const wanted = tasks.flatMap(({ need, collector }): readonly GradientOf[] => collector.gradients?.(need) ?? []);
  if (wanted.length === 0) return observed(graph, tasks, { ...pass, differentiated: undefined });
  const { batches, target } = await lookAhead(pass.batches, graph);
  const differentiated = differentiate(graph, wanted, target);
  return { ...(await observed(graph, tasks, { ...pass, batches, differentiated })), target };
}

interface Observation extends Pass {
  readonly differentiated: Differentiated | undefined;
}

async function observed(graph: Graph, tasks: readonly Task[], pass: Observation): Promise<PassResult> {
  const { differentiated } = pass;
  const opset = Math.max(opsetOf(graph), ...tasks.map(({ collector }) => collector.opset ?? 0));
  const statistics = observe(convertOpset(differentiated?.graph ?? graph, opset), differentiated?.gradient);
  const ordered = pass.executor.lastNodesFirst ? lastValuesFirst(graph, tasks) : tasks;
  const probes = ordered.map(({ need, collector }): Probe<unknown> => collector.probe(need, statistics, pass.earlier));
  const fetch = [...new Set(probes.flatMap((probe) => probe.fetch))];
  for (const value of fetch) statistics.builder.output(value);

  const session = await pass.executor.open(removeDeadNodes(statistics.builder.finish()));
  try {
    const samples = await feed(session, probes, { graph, fetch, pass });
    return { answers: new Map(ordered.map(({ key }, i) => [key, probes[i]!.answer()])), samples };
  } finally {
    await session.close();
  }
}

/**
 * For executors that run the last nodes first, from the nodes that nobody reads. With the probes of the earliest values at the end of the file, each value is condensed as soon as it is there and
 * freed after its last reader; the other way round all activations live until the end (MobileNetV2, 8 images: 1.5 GB
 * instead of 0.4).
 */
function lastValuesFirst(graph: Graph, tasks: readonly Task[]): readonly Task[] {
  const place = new Map<string, number>();
  graph.nodes.forEach((node, i) => {
    for (const output of node.outputs) if (output !== undefined) place.set(output, i);
  });
  const placeOf = ({ need, collector }: Task) =>
    Math.max(-1, ...collector.values(need, graph).map((value) => place.get(value) ?? -1));
  return tasks
    .map((task) => ({ task, at: placeOf(task) }))
    .sort((a, b) => b.at - a.at)
    .map(({ task }) => task);
}

async function feed(
  session: Session,
  probes: readonly Probe<unknown>[],
  { graph, fetch, pass }: { readonly graph: Graph; readonly fetch: readonly string[]; readonly pass: Observation },
): Promise<number> {
  let samples = 0;
  for await (const batch of pass.batches) {
    const count = samplesOf(graph, batch);
    if (count === 0) continue; // an empty batch says nothing, and reductions over nothing fail
    const feeds = feedsOf(batch, { graph, differentiated: pass.differentiated, samples: count });
    const found = await session.run(feeds, fetch);
    for (const probe of probes) {
      probe.add(
        probe.fetch.map((value) => found.get(value)!),
        count,
      );
    }
    samples += count;
    pass.progress(samples);
  }
  return samples;
}

// The size that the first axes of all inputs share counts samples; where they differ, a batch is one sample.
function samplesOf(graph: Graph, batch: ReadonlyMap<string, Tensor>): number {
  const leads = new Set(graph.inputs.flatMap((input) => (batch.has(input) ? [batch.get(input)!.shape[0]] : [])));
  const [lead] = leads;
  return leads.size === 1 && lead !== undefined ? lead : 1;
}
