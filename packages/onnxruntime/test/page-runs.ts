import { crossEntropy, sgd, trainingStep } from '@espalier/autodiff';
import {
  createRandom,
  type Executor,
  type Files,
  floats,
  longs,
  type Port,
  type Random,
  type Session,
  scalar,
  sizeOf,
  type Tensor,
  toNumbers,
} from '@espalier/core';
import { setInputShapes } from '@espalier/ops';
import { lenet5 } from '@espalier/zoo';

/** Outputs as plain data, which leaves a page. */
export type Found = Readonly<Record<string, readonly number[]>>;

/** One step of LeNet-5 on drawn images: the loss and the momenta, which are the gradients then. */
export async function runStep(executor: Executor): Promise<Found> {
  const model = setInputShapes(lenet5({ seed: 4 }), new Map([['input', [8, 1, 28, 28]]]));
  const step = trainingStep(model, { loss: crossEntropy({}), optimizer: sgd({ momentum: 0.9 }) });
  const carried = [...step.parameters, ...step.state];
  const feeds = new Map<string, Tensor>([
    [step.learningRate, scalar(0.1)],
    [step.step, scalar(1)],
    ...carried.map(({ input, initial }) => [input, initial] as const),
  ]);
  const wanted = [step.loss, ...step.state.map(({ output }) => output)];
  return results(await executor.open(step.graph), feeds, wanted);
}

/** A model file on drawn inputs, all outputs. */
export async function runFile(executor: Executor, files: Files): Promise<Found> {
  const session = await executor.openFile!({ files, path: 'model.onnx' }); // this executor opens files
  return results(
    session,
    new Map(),
    session.outputs.map(({ name }) => name),
  );
}

/** Runs with the feeds that are known, and drawn ones for the rest. */
async function results(
  session: Session,
  known: ReadonlyMap<string, Tensor>,
  wanted: readonly string[],
): Promise<Found> {
  const random = createRandom(9);
  const feeds = new Map(session.inputs.map((port) => [port.name, known.get(port.name) ?? drawn(port, random)]));
  const found = await session.run(feeds, wanted);
  await session.close();
  return Object.fromEntries([...found].map(([name, each]) => [name, toNumbers(each)]));
}

/** Normal numbers, or classes below 10; batches of 2 where no size is fixed. */
function drawn({ dtype, shape = [] }: Port, random: Random): Tensor {
  const sizes = shape.map((dim) => (typeof dim === 'number' ? dim : 2));
  const count = sizeOf(sizes);
  if (dtype !== 'int64') return floats(Float32Array.from({ length: count }, random.normal), sizes);
  return longs(
    Array.from({ length: count }, () => random.below(10)),
    sizes,
  );
}
