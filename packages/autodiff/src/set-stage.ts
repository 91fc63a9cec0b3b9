import {
  buildGraph,
  type DType,
  editGraph,
  type Graph,
  indexOf,
  type LossSite,
  tensorInfo,
  type ValueId,
  type ValueInfo,
} from '@espalier/core';
import { unknownOutput, wrongDtype } from './errors.js';
import type { Parameter } from './parameters-of.js';
import type { TrainingForm } from './training-form.js';
import type { TrainingOptions } from './training-options.js';

/** The network with its loss, and every input of a training step in place. */
export interface Stage {
  readonly graph: Graph;
  readonly loss: ValueId;
  readonly target: ValueId;
  readonly learningRate: ValueId;
  readonly step: ValueId;
  readonly lossInputs: ReadonlyMap<string, ValueId>;
  /** State of the optimizer by parameter, then by its name. */
  readonly state: ReadonlyMap<ValueId, ReadonlyMap<string, ValueId>>;
  /** Masks by parameter. */
  readonly masks: ReadonlyMap<ValueId, ValueId>;
}

/** Turns parameters and running statistics from constants into inputs, adds the other inputs, and the loss. */
export function setStage(
  { graph, statistics }: TrainingForm,
  { parameters, options }: { readonly parameters: readonly Parameter[]; readonly options: TrainingOptions },
): Stage {
  const { fresh } = editGraph(graph);
  const inputs = new Map<ValueId, ValueInfo>();
  const add = (wish: string, info: ValueInfo): ValueId => {
    const name = fresh(wish);
    inputs.set(name, info);
    return name;
  };
  const output = outputOf(graph, options);
  const site: LossSite = { output: typeOf(graph, output), info: (value) => tensorInfo(graph, value) };
  const target = add('target', options.target ?? options.loss.target?.(site) ?? site.output);
  const lossInputs = new Map(
    [...(options.loss.inputs?.(site) ?? [])].map(([name, info]): [string, ValueId] => [name, add(name, info)]),
  );
  const learningRate = add('learning_rate', { dtype: 'float32', shape: [] });
  const step = add('step', { dtype: 'float32', shape: [] });
  for (const { value, tensor } of parameters) inputs.set(value, typed(tensor));
  const state = new Map(
    parameters.map(({ value, tensor }) => [
      value,
      new Map(options.optimizer.state.map((name) => [name, add(`${value}.${name}`, typed(tensor))])),
    ]),
  );
  for (const { runningMean, runningVariance } of statistics) {
    for (const value of [runningMean, runningVariance]) inputs.set(value, typed(graph.constants.get(value)!)); // constants, as found
  }
  const masked = new Set(options.masks ?? []);
  const masks = new Map(
    parameters
      .filter(({ value }) => masked.has(value))
      .map(({ value, tensor }) => [value, add(`${value}.mask`, typed(tensor))]),
  );
  const constants = new Map(graph.constants);
  for (const name of inputs.keys()) constants.delete(name);
  const b = buildGraph({
    ...graph,
    inputs: [...graph.inputs, ...inputs.keys()],
    outputs: [],
    constants,
    values: new Map([...graph.values, ...inputs]),
  });
  const loss = options.loss.build(b, { output: readFrom(graph, { output, options }), target, inputs: lossInputs });
  return { graph: b.finish(), loss, target, learningRate, step, lossInputs, state, masks };
}

const typed = ({ dtype, shape }: { dtype: DType; shape: readonly number[] }): ValueInfo => ({ dtype, shape });

function outputOf(graph: Graph, { output = graph.outputs[0] }: TrainingOptions): ValueId {
  if (output !== undefined && graph.outputs.includes(output)) return output;
  throw unknownOutput(graph, output);
}

function typeOf(graph: Graph, output: ValueId): ValueInfo {
  const info = tensorInfo(graph, output) ?? { dtype: 'float32' };
  if (info.dtype !== 'float32') throw wrongDtype(`output "${output}"`, info.dtype);
  return info;
}

/** A loss with a softmax of its own reads what stands before a Softmax at the end. */
function readFrom(
  graph: Graph,
  { output, options }: { readonly output: ValueId; readonly options: TrainingOptions },
): ValueId {
  const end = indexOf(graph).producer.get(output);
  return options.loss.reads === 'logits' && end?.op === 'Softmax' ? (end.inputs[0] ?? output) : output;
}
