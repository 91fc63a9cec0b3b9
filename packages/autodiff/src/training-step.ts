import {
  buildGraph,
  checkKeys,
  floats,
  type Graph,
  type GraphBuilder,
  type KeysOf,
  scalar,
  type Tensor,
  type ValueId,
  zeros,
} from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { removeDeadNodes } from '@espalier/passes';
import { chosenParameters } from './chosen-parameters.js';
import { clipGradients } from './clip-gradients.js';
import { dampeningGradient } from './dampening.js';
import { outOfRange } from './errors.js';
import { gradients } from './gradients.js';
import { nextStatistics } from './next-statistics.js';
import type { Parameter } from './parameters-of.js';
import { scaleFactor } from './quantizer-scale-factor.js';
import { type Stage, setStage } from './set-stage.js';
import { trainingFormOf } from './training-form.js';
import type { TrainingOptions } from './training-options.js';

/** A tensor that goes from one step to the next. */
export interface Carried {
  readonly name: string;
  readonly input: ValueId;
  readonly output: ValueId;
  readonly initial: Tensor;
}

/** One step of training as a graph. */
export interface TrainingStep {
  /**
   * Inputs: the model's, the target, further inputs of the loss, `learning_rate` and `step` (float32 scalars, the
   * step counts from 1), then parameters, optimizer state, running statistics and masks.
   */
  readonly graph: Graph;
  /** The loss, a float32 scalar. */
  readonly loss: ValueId;
  /** The model's outputs, in training mode. */
  readonly outputs: readonly ValueId[];
  readonly parameters: readonly Carried[];
  /** Of the optimizer, named `PARAMETER.STATE`. */
  readonly state: readonly Carried[];
  /** Running statistics of batch norms. */
  readonly statistics: readonly Carried[];
  readonly masks: readonly { readonly parameter: string; readonly input: ValueId }[];
  /** Names of the inputs for the target, the learning rate and the number of the step. */
  readonly target: ValueId;
  readonly learningRate: ValueId;
  readonly step: ValueId;
  /** Names of the further inputs of the loss, by the names it gives them. */
  readonly lossInputs: ReadonlyMap<string, ValueId>;
}

const keys: KeysOf<TrainingOptions> = {
  loss: true,
  optimizer: true,
  output: true,
  target: true,
  trainable: true,
  decays: true,
  clipNorm: true,
  masks: true,
  bnMomentum: true,
  scaleRate: true,
  dampening: true,
  batchNorm: true,
};

/**
 * The step of training as one graph: the network in training form, the loss, all gradients, and the update of each
 * parameter, so that any executor trains. The caller feeds each carried output back as the next step's input.
 * @throws AUTODIFF_OP, AUTODIFF_FORM, AUTODIFF_SHAPE, AUTODIFF_DTYPE, AUTODIFF_LOSS, AUTODIFF_PARAMETER,
 *   OPTION_INVALID.
 */
export function trainingStep(graph: Graph, options: TrainingOptions): TrainingStep {
  checkKeys<TrainingOptions>('trainingStep', options, keys);
  checkRange('clipNorm', options.clipNorm, { least: Number.MIN_VALUE, most: Number.MAX_VALUE });
  checkRange('dampening', options.dampening, { least: 0, most: Number.MAX_VALUE });
  checkRange('scaleRate', options.scaleRate, { least: 0, most: Number.MAX_VALUE });
  checkRange('bnMomentum', options.bnMomentum, { least: 0, most: 1 });
  const form = trainingFormOf(graph, options);
  const parameters = chosenParameters(form.graph, options);
  const stage = setStage(form, { parameters, options });
  const { graph: differentiated, gradients: found } = gradients(
    stage.graph,
    stage.loss,
    parameters.map(({ value }) => value),
  );
  const b = buildGraph(differentiated);
  const raw = parameters.map((parameter) => wholeGradient(b, form.graph, { parameter, found, options }));
  const clipped = options.clipNorm === undefined ? raw : clipGradients(b, raw, options.clipNorm);
  const updates = parameters.map((parameter, i) => update(b, { parameter, gradient: clipped[i]!, stage, options }));
  const statistics = form.statistics.flatMap((each) => {
    const next = nextStatistics(b, { graph: form.graph, statistics: each, momentum: options.bnMomentum ?? 0.1 });
    const carried = (name: ValueId, output: ValueId): Carried => ({
      name,
      input: name,
      output,
      initial: form.graph.constants.get(name)!,
    }); // they are constants there
    return [carried(each.runningMean, next.mean), carried(each.runningVariance, next.variance)];
  });
  const carried = {
    parameters: updates.map((each) => each.parameter),
    state: updates.flatMap((each) => each.state),
    statistics,
  };
  const outputs = [
    stage.loss,
    ...form.graph.outputs,
    ...Object.values(carried)
      .flat()
      .map(({ output }) => output),
  ];
  const finished = removeDeadNodes({ ...b.finish(), outputs: [...new Set(outputs)] });
  return {
    ...carried,
    graph: inferShapes(finished),
    loss: stage.loss,
    outputs: form.graph.outputs,
    masks: [...stage.masks].map(([parameter, input]) => ({ parameter, input })),
    target: stage.target,
    learningRate: stage.learningRate,
    step: stage.step,
    lossInputs: stage.lossInputs,
  };
}

function checkRange(
  name: string,
  value: number | undefined,
  { least, most }: { readonly least: number; readonly most: number },
): void {
  if (value !== undefined && !(value >= least && value <= most)) throw outOfRange(name, value, { least, most });
}

function update(
  b: GraphBuilder,
  {
    parameter,
    gradient,
    stage,
    options,
  }: {
    readonly parameter: Parameter;
    readonly gradient: ValueId;
    readonly stage: Stage;
    readonly options: TrainingOptions;
  },
): { readonly parameter: Carried; readonly state: readonly Carried[] } {
  const { value, tensor, role } = parameter;
  const state = stage.state.get(value) ?? new Map<string, ValueId>();
  const next = options.optimizer.update(b, {
    parameter: value,
    gradient,
    state,
    learningRate: rateOf(b, role, { stage, options }),
    step: stage.step,
    decay: Number(options.decays ? options.decays(value) : role === 'weight'),
  });
  const mask = stage.masks.get(value);
  let output = next.parameter;
  if (mask !== undefined) output = b.add('Mul', [output, mask], { name: `${value}_masked` });
  // A scale that reaches zero divides by it, and one that falls to almost nothing clips all that it is for.
  if (role === 'quantizer') {
    const half = b.add('Mul', [value, b.constant('half', scalar(0.5))]);
    output = b.add('Max', [output, half, b.constant('smallest_scale', smallestScale)]);
  }
  return {
    parameter: { name: value, input: value, output, initial: tensor },
    state: [...state].map(([name, input]) => ({
      name: `${value}.${name}`,
      input,
      output: next.state.get(name) ?? input,
      initial: zeros('float32', tensor.shape),
    })),
  };
}

/** The learning rate of a parameter: quantizer scales may have their own. */
function rateOf(
  b: GraphBuilder,
  role: Parameter['role'],
  { stage, options: { scaleRate = 1 } }: { readonly stage: Stage; readonly options: TrainingOptions },
): ValueId {
  if (role !== 'quantizer' || scaleRate === 1) return stage.learningRate;
  return b.add('Mul', [stage.learningRate, b.constant('scale_rate', floats([scaleRate], []))]);
}

const smallestScale = /* @__PURE__ */ floats([1e-8], []);

interface GradientParts {
  readonly parameter: Parameter;
  readonly found: ReadonlyMap<ValueId, ValueId>;
  readonly options: TrainingOptions;
}

/** The gradient of the loss, with what quantizers add to it or scale it by. */
function wholeGradient(b: GraphBuilder, graph: Graph, { parameter, found, options }: GradientParts): ValueId {
  const gradient = found.get(parameter.value)!; // gradients answers for each value asked
  const { dampening = 0 } = options;
  const pull = dampening > 0 ? dampeningGradient(b, graph, { parameter, strength: dampening }) : undefined;
  if (pull !== undefined) return b.add('Add', [gradient, pull]);
  if (parameter.role !== 'quantizer') return gradient;
  return b.add('Mul', [gradient, scaleFactor(b, graph, parameter)]);
}
