import type { TrainingStep } from '@espalier/autodiff';
import type { Graph, Tensor } from '@espalier/core';
import { rampSparsity } from '../run/ramp-sparsity.js';
import type { RunPlan } from '../run/run-plan.js';
import type { TrainRequest } from '../train-request.js';

/**
 * A SHA-256 over all that decides a run: the graph of its step (which holds model, loss and optimizer with their
 * numbers), the weights it begins with, the teacher, schedules by their values, pruning by the masks it chooses for
 * the weights at the beginning, data sets by name and size, phases and settings. Of a projection its key counts;
 * `lossInputs` cannot be compared and are left out.
 */
export async function fingerprint(
  request: TrainRequest,
  { step, plan }: { readonly step: TrainingStep; readonly plan: RunPlan },
): Promise<string> {
  const { training, evaluation, teacher, batch, seed, target, augment, freeze, evaluateEvery, patience } = request;
  const { phases, total, learningRate } = plan;
  const carried = [...step.parameters, ...step.statistics].map(({ name, initial }) => [name, initial] as const);
  const chosen = plan.goal === undefined ? undefined : await request.prune?.(request.model, plan.goal);
  const digests: string[] = [];
  for (const tensors of [step.graph.constants, carried, request.masks, chosen, teacher?.constants]) {
    for (const [name, each] of tensors ?? []) {
      digests.push(name, each.dtype, each.shape.join(), await digestOf(bytesOf(each)));
    }
  }
  const sets = [training, evaluation].map((set) => set && [set.name, set.size, [...set.fields.keys()]]);
  const projection = request.project?.key;
  const settings = {
    batch,
    seed,
    target,
    augment,
    freeze,
    evaluateEvery,
    patience,
    ...(projection ? { projection } : {}),
  };
  const monitor = [request.keepBest, request.monitor, request.metrics?.map(({ name }) => name)];
  const spoken = phases.map((phase) =>
    phase.do === 'ramp' ? { ...phase, sparsity: sampled((at) => rampSparsity(phase, at, plan), phase.steps) } : phase,
  );
  const nodes = [nodesOf(step.graph), teacher && nodesOf(teacher)];
  const text = JSON.stringify(
    [...nodes, digests, sets, settings, monitor, spoken, total, sampled(learningRate, total)],
    written,
  );
  return digestOf(new TextEncoder().encode(text));
}

const points = 64;

/** A schedule by what it says at up to 65 steps, both ends included. */
const sampled = (schedule: (step: number) => number, steps: number): readonly number[] =>
  Array.from({ length: Math.min(points, steps) + 1 }, (_, i) =>
    schedule(Math.floor((i * steps) / Math.max(1, Math.min(points, steps)))),
  );

/** Values that JSON cannot express: elements of int64 tensors and constants of subgraphs, both inside attributes. */
const written = (_: string, value: unknown): unknown =>
  typeof value === 'bigint' ? `${value}n` : value instanceof Map ? [...value] : value;

const nodesOf = ({ nodes, inputs, outputs }: Graph): unknown => [
  inputs,
  outputs,
  // Tensors inside attributes have typed arrays, which JSON writes as objects of their elements.
  nodes.map((node) => [node.op, node.inputs, node.outputs, [...node.attributes]]),
];

const bytesOf = ({ data }: Tensor): Uint8Array =>
  ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new TextEncoder().encode(JSON.stringify(data));

async function digestOf(bytes: Uint8Array): Promise<string> {
  const plain =
    bytes.buffer instanceof ArrayBuffer ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) : bytes.slice();
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', plain));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
