import type { Graph, Tensor } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { openHeap } from '../../packages/tensor/src/heap.js';
import { planOf } from '../../packages/tensor/src/plan.js';
import { prepareGraph } from '../../packages/tensor/src/prepare-graph.js';
import { runPlan } from '../../packages/tensor/src/run-plan.js';
import { hostValue } from '../../packages/tensor/src/value.js';
import { type KernelTime, printProfile } from './print-profile.js';

/** Prints where the time of the WebAssembly kernels goes, by op: each op is one kernel. */
export async function tensorProfile(
  title: string,
  given: Graph,
  { feeds, steps }: { readonly feeds: ReadonlyMap<string, Tensor>; readonly steps: number },
): Promise<void> {
  const heap = await openHeap('');
  const graph = prepareGraph(inferShapes(given));
  const constants = new Map([...graph.constants].map(([name, each]) => [name, hostValue(each, name)]));
  const run = { heap, graph, plan: planOf(graph, graph.outputs), constants };
  for (let i = 0; i < 2; i++) runPlan(run, feeds); // compiled and warm
  const times: KernelTime[] = [];
  const watch = ({ op }: { readonly op: string }, milliseconds: number) => void times.push({ key: op, milliseconds });
  for (let i = 0; i < steps; i++) runPlan({ ...run, watch }, feeds);
  printProfile(`${title} by op`, times, { steps });
}
