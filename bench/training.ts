import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crossEntropy, sgd, type TrainingStep, trainingStep } from '@espalier/autodiff';
import { createRandom, floats, type Graph, type Session, scalar, sizeOf, type Tensor, tensor } from '@espalier/core';
import { decodeOnnx, encodeOnnx } from '@espalier/onnx';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { lowerCustomOps, setInputShapes } from '@espalier/passes';
import { lenet5, mobilenetV2, resnet20 } from '@espalier/zoo';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { prepareGraph } from '../packages/onnxruntime/src/prepare-graph.js';
import { loadRuntime } from '../packages/onnxruntime/src/runtime.js';
import { modelsFolder } from '../test/fixtures.js';

/**
 * Training steps (forward, backward, momentum) on onnxruntime: images a second of the plain lowering and of the fast
 * one, interleaved, on one thread and on two (images per second of processor time hold where others use the machine too); with `--memory` the resident memory over the steps of the fast one, with
 * `--profile` where its time goes.
 *
 *     tsx --conditions=@espalier/source bench/training.ts [resnet20|real|lenet5|mobilenet-v2] [batch] [steps] [--memory | --profile [--plain]]
 */
const flags = process.argv.slice(2).filter((each) => each.startsWith('--'));
const [model = 'resnet20', batch = '64', steps = '8'] = process.argv.slice(2).filter((each) => !each.startsWith('--'));
const size = Number(batch);

const builders: Readonly<Record<string, () => Graph>> = {
  resnet20: () => resnet20({}),
  lenet5: () => lenet5({}),
  'mobilenet-v2': () => mobilenetV2({ classes: 10, size: 32 }),
  real: () => decodeOnnx(new Uint8Array(readFileSync(`${modelsFolder()}/resnet20-cifar10.onnx`))),
};
const step = stepOf(builders[model]!());

if (flags.includes('--profile')) await profile(flags.includes('--plain') ? lowerCustomOps(step.graph) : step.graph);
else if (flags.includes('--memory')) await memory();
else await compare();

function stepOf(graph: Graph): TrainingStep {
  const shapes = graph.inputs.map((name) => [name, [size, ...graph.values.get(name)!.shape!.slice(1)]] as const);
  return trainingStep(setInputShapes(graph, new Map(shapes)), {
    loss: crossEntropy({}),
    optimizer: sgd({ momentum: 0.9 }),
  });
}

/** Random images and classes, and the tensors that steps begin with. */
function firstFeeds(): Map<string, Tensor> {
  const random = createRandom(1);
  const carried = [...step.parameters, ...step.state, ...step.statistics];
  const feeds = new Map<string, Tensor>(carried.map(({ input, initial }) => [input, initial]));
  for (const name of step.graph.inputs) {
    if (feeds.has(name)) continue;
    const { dtype, shape = [] } = step.graph.values.get(name)!; // every input has a type
    const dims = shape.map(Number);
    if (dtype === 'int64') {
      feeds.set(
        name,
        tensor(
          'int64',
          dims,
          BigInt64Array.from({ length: sizeOf(dims) }, () => BigInt(random.below(10))),
        ),
      );
    } else feeds.set(name, floats(Float32Array.from({ length: sizeOf(dims) }, random.normal), dims));
  }
  return feeds.set(step.learningRate, scalar(0.01)).set(step.step, scalar(1));
}

/** Runs steps one after the other; each returns its loss. */
function trainer(session: Session): () => Promise<number> {
  const feeds = firstFeeds();
  const carried = [...step.parameters, ...step.state, ...step.statistics];
  const fetched = [step.loss, ...carried.map(({ output }) => output)];
  return async () => {
    const results = await session.run(feeds, fetched);
    for (const { input, output } of carried) feeds.set(input, results.get(output)!); // fetched just above
    return Number(results.get(step.loss)!.data[0]);
  };
}

async function compare(): Promise<void> {
  console.log(`${model}, batch ${size}, ${step.graph.nodes.length} nodes; images a second, the best of ${steps} steps`);
  for (const threads of [1, 2]) {
    const executor = createOnnxRuntime({ backend: 'node', threads });
    const variants = [
      ['plain', lowerCustomOps(step.graph)],
      ['fast', step.graph],
    ] as const;
    const runs = [];
    for (const [name, graph] of variants) {
      runs.push({
        name,
        run: trainer(await executor.open(graph)),
        losses: [] as number[],
        ms: [] as number[],
        cpu: [] as number[],
      });
    }
    for (let i = 0; i <= Number(steps); i++) {
      for (const each of runs) {
        const [start, used] = [performance.now(), process.cpuUsage()];
        each.losses.push(await each.run());
        if (i === 0) continue; // warms up
        const { user, system } = process.cpuUsage(used);
        each.cpu.push((user + system) / 1000);
        each.ms.push(performance.now() - start);
      }
    }
    for (const { name, losses, ms, cpu } of runs) {
      const rate = (times: readonly number[], share: number) => {
        const sorted = [...times].sort((a, b) => a - b);
        return ((size * 1000) / sorted[Math.floor((sorted.length - 1) * share)]!).toFixed(1).padStart(7);
      };
      console.log(
        `${threads} thread${threads > 1 ? 's' : ' '} ${name.padEnd(6)} best ${rate(ms, 0)} median ${rate(ms, 0.5)}` +
          ` per second of processor time ${rate(cpu, 0.5)}` +
          `  loss ${losses[0]!.toFixed(5)} -> ${losses.at(-1)!.toFixed(5)}`,
      );
    }
    await executor.close();
  }
}

async function memory(): Promise<void> {
  const executor = createOnnxRuntime({ backend: 'node', threads: 1 });
  const run = trainer(await executor.open(step.graph));
  const resident: number[] = [];
  for (let i = 0; i < Number(steps); i++) {
    await run();
    resident.push(process.memoryUsage.rss() / 2 ** 20);
  }
  const at = (share: number) => resident[Math.floor((resident.length - 1) * share)]!.toFixed(0);
  console.log(
    `${model}, batch ${size}: peak ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB; resident after ` +
      `0 %, 25 %, 50 %, 75 %, 100 % of ${steps} steps: ${[0, 0.25, 0.5, 0.75, 1].map(at).join(', ')} MB`,
  );
  await executor.close();
}

interface Event {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly args: { readonly op_name?: string };
}

/** Where the time of a step goes, by op and by op and family of nodes. */
async function profile(graph: Graph): Promise<void> {
  const runtime = await loadRuntime([{ package: 'onnxruntime-node', load: () => import('onnxruntime-node') }]);
  const folder = mkdtempSync(join(tmpdir(), 'espalier-profile-'));
  try {
    const session = await InferenceSession.create(Buffer.concat(encodeOnnx(await prepareGraph(runtime, graph))), {
      enableProfiling: true,
      profileFilePrefix: join(folder, 'profile'),
      intraOpNumThreads: 1,
      logSeverityLevel: 4,
    });
    const feeds = [...firstFeeds()].map(
      ([name, { dtype, data, shape }]) =>
        [name, new OrtTensor(dtype as 'float32', data as Float32Array, shape)] as const, // names agree
    );
    for (let i = 0; i < Number(steps); i++) await session.run(Object.fromEntries(feeds));
    session.endProfiling();
    await session.release();
    const file = readdirSync(folder)[0]!; // the one written
    const events = JSON.parse(readFileSync(join(folder, file), 'utf8')) as readonly Event[];
    const kernels = events.filter(({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time'));
    report('op', kernels, ({ args }) => args.op_name ?? '?');
    report('op and family', kernels, ({ args, name }) => `${args.op_name} ${familyOf(name)}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(title: string, events: readonly Event[], keyOf: (event: Event) => string): void {
  const sums = new Map<string, { us: number; count: number }>();
  let total = 0;
  for (const event of events) {
    const key = keyOf(event);
    const sum = sums.get(key) ?? { us: 0, count: 0 };
    sums.set(key, { us: sum.us + event.dur, count: sum.count + 1 });
    total += event.dur;
  }
  const perStep = (us: number) => us / 1000 / Number(steps);
  console.log(`\nby ${title}: ${perStep(total).toFixed(1)} ms a step`);
  for (const [key, { us, count }] of [...sums].sort((a, b) => b[1].us - a[1].us).slice(0, 28)) {
    const share = ((100 * us) / total).toFixed(1).padStart(5);
    console.log(
      `${share} %  ${perStep(us).toFixed(2).padStart(8)} ms  ${String(count / Number(steps)).padStart(5)}  ${key}`,
    );
  }
}

/** The part of a node's name that says what it is for: numbers, layers and endings left out. */
function familyOf(name: string): string {
  const family = name
    .replace(/_kernel_time$/, '')
    .replace(/^.*?(gradient|blocked)\//, '$1/')
    .replace(/[_/]?\d+/g, '');
  return family.slice(-48);
}
