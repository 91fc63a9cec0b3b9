import type { TrainingStep } from '@espalier/autodiff';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { lowerCustomOps } from '@espalier/passes';
import { createTensorCore } from '@espalier/tensor';
import { trainer } from './model-step.js';
import { openPeer } from './peer.js';
import type { StepTime, Variant } from './variant.js';

/** What a throughput is measured on. */
export interface Setting {
  readonly model: string;
  readonly batch: number;
  /** Steps of each variant in a round. */
  readonly steps: number;
  readonly rounds: number;
  /** A Python that has PyTorch. */
  readonly peer?: string;
}

/**
 * Images a second of steps on onnxruntime (its fast form and the plain one), on WebAssembly, and on PyTorch where there
 * is a peer. Variants take turns, every second round in reverse order, so that other work of the machine falls on all
 * alike: a figure is the median over rounds of each round's median. Images per second of processor time hold where
 * others use the machine too.
 */
export async function throughput(step: TrainingStep, setting: Setting): Promise<void> {
  const { model, batch, steps, rounds } = setting;
  const opened = [...(await ourVariants(step)), ...(await peerVariants(setting))];
  const variants = opened.flatMap((each) => each.variants);
  const times = new Map<Variant, StepTime[][]>(variants.map((variant) => [variant, []]));
  for (let round = 0; round < rounds; round++) {
    for (const variant of round % 2 === 0 ? variants : [...variants].reverse()) {
      await variant.step(); // fills the caches again
      const taken: StepTime[] = [];
      for (let i = 0; i < steps; i++) taken.push(await variant.step());
      times.get(variant)!.push(taken);
    }
  }
  console.log(`\n${model}, batch ${batch}, ${step.graph.nodes.length} nodes; ${rounds} rounds of ${steps} steps`);
  console.log(`${'images a second'.padEnd(44)}    best  median  per second of processor time`);
  for (const [{ name }, taken] of times) {
    const all = taken.flat();
    const rate = (milliseconds: number) => ((batch * 1000) / milliseconds).toFixed(1).padStart(7);
    const best = Math.min(...all.map(({ wall }) => wall));
    const used = rate(medianOfMedians(taken, 'used')).padStart(9);
    const ends = `loss ${all[0]!.loss.toFixed(5)} -> ${all.at(-1)!.loss.toFixed(5)}`; // at least one step
    console.log(`${name.padEnd(44)} ${rate(best)} ${rate(medianOfMedians(taken, 'wall'))} ${used}  ${ends}`);
  }
  for (const threads of [1, 2]) printRatios(times, threads);
  for (const { close } of opened) await close();
}

/** Prints how many times as fast as the best eager and the best compiled form ours is, on as many threads. */
function printRatios(times: ReadonlyMap<Variant, readonly StepTime[][]>, threads: number): void {
  const figures = [...times].filter(([variant]) => variant.threads === threads);
  const ours = figures.find(([{ peer }]) => !peer);
  for (const form of ['eager', 'compiled']) {
    const theirs = figures.filter(([{ peer, name }]) => peer && name.includes(form));
    if (!ours || theirs.length === 0) continue;
    const ratio = (of: 'wall' | 'used') =>
      (Math.min(...theirs.map(([, taken]) => medianOfMedians(taken, of))) / medianOfMedians(ours[1], of)).toFixed(2);
    const beside = `${ours[0].name} is ${ratio('wall')} times as fast as PyTorch ${form}, best layout`;
    console.log(`${beside} (${ratio('used')} by processor time)`);
  }
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)]!;
};

const medianOfMedians = (rounds: readonly (readonly StepTime[])[], of: 'wall' | 'used'): number =>
  median(rounds.map((round) => median(round.map((time) => time[of]))));

interface Opened {
  readonly variants: readonly Variant[];
  readonly close: () => void | Promise<void>;
}

async function ourVariants(step: TrainingStep): Promise<readonly Opened[]> {
  const opened: Opened[] = [];
  const plain = lowerCustomOps(step.graph);
  for (const [name, threads, executor, graph] of [
    ['onnxruntime fast, 1 thread', 1, createOnnxRuntime({ backend: 'node', threads: 1 }), step.graph],
    ['onnxruntime fast, 2 threads', 2, createOnnxRuntime({ backend: 'node', threads: 2 }), step.graph],
    ['onnxruntime plain, 1 thread', 1, createOnnxRuntime({ backend: 'node', threads: 1 }), plain],
    ['wasm', 1, createTensorCore(), step.graph],
  ] as const) {
    const run = trainer(step, await executor.open(graph));
    for (let i = 0; i < 3; i++) await run(); // the first steps get memory from the system
    opened.push({ variants: [{ name, threads, peer: false, step: timed(run) }], close: () => executor.close() });
  }
  return opened;
}

async function peerVariants({ peer, model, batch }: Setting): Promise<readonly Opened[]> {
  if (peer === undefined) return [];
  return [await openPeer(peer, { model, batch, threads: 1 }), await openPeer(peer, { model, batch, threads: 2 })];
}

const timed = (run: () => Promise<number>) => async (): Promise<StepTime> => {
  const [start, before] = [performance.now(), process.cpuUsage()];
  const loss = await run();
  const { user, system } = process.cpuUsage(before);
  return { wall: performance.now() - start, used: (user + system) / 1000, loss };
};
