import { float, floatOf, int, intOf, type ValueId } from '@espalier/core';
import type { Derivative, DerivativeContext } from '../derivative.js';
import { unsupportedForm } from '../errors.js';

/** y = (x - mean)·scale/√(variance + ε) + bias with fixed statistics: affine per channel. */
const inferenceForm: Derivative = (c) => {
  const dy = c.gradient(0)!;
  const rank = c.shape(c.input(0)).length;
  const perChannel = (value: ValueId) =>
    c.emit('Reshape', [value, c.longs([1, -1, ...Array.from({ length: rank - 2 }, () => 1)])]);
  const others = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== 1);
  const sum = (value: ValueId) => c.emit('ReduceSum', [value, c.longs(others)], { keepdims: int(0) });
  const root = c.emit('Sqrt', [c.emit('Add', [c.input(4), c.scalar(floatOf(c.node, 'epsilon', 1e-5))])]);
  const centred = () => c.emit('Div', [c.emit('Sub', [c.input(0), perChannel(c.input(3))]), perChannel(root)]);
  if (c.wants(3) || c.wants(4))
    throw unsupportedForm(c.node, 'fixed statistics', 'gradients wanted for mean or variance');
  return [
    c.wants(0) ? c.emit('Mul', [dy, perChannel(c.emit('Div', [c.input(1), root]))]) : undefined,
    c.wants(1) ? sum(c.emit('Mul', [dy, centred()])) : undefined,
    c.wants(2) ? sum(dy) : undefined,
  ];
};

const trainingForm: Derivative = (c) => {
  if (c.gradient(1) !== undefined || c.gradient(2) !== undefined) {
    throw unsupportedForm(c.node, 'a loss that does not depend on the batch statistics but through y', 'one that does');
  }
  return c.emitAll('espalier::BatchNormGradient', [c.input(0), c.input(1), c.output(1), c.output(2), c.gradient(0)], {
    outputs: 3,
    attributes: { epsilon: float(floatOf(c.node, 'epsilon', 1e-5)) },
  });
};

/**
 * With x̂ = (x - μ)/σ over the normalised axes and g = dy·scale:
 * dx = (g - mean(g) - x̂ mean(g·x̂)) / σ; dscale = Σ dy·x̂; dbias = Σ dy (Ba, Kiros & Hinton 2016, arXiv 1607.06450).
 */
const layerNormalization: Derivative = (c) => {
  const rank = c.shape(c.input(0)).length;
  const first = intOf(c.node, 'axis', -1);
  const axes = Array.from({ length: rank }, (_, i) => i).slice(first < 0 ? first + rank : first);
  const hat = normalised(c, { x: c.input(0), axes });
  return scaled(c, { hat, axes, scale: c.input(1), bias: c.node.inputs[2] });
};

const instanceNormalization: Derivative = (c) => {
  const rank = c.shape(c.input(0)).length;
  const axes = Array.from({ length: rank - 2 }, (_, i) => i + 2);
  const shape = c.longs([1, -1, ...axes.map(() => 1)]);
  const hat = normalised(c, { x: c.input(0), axes });
  const dy = c.gradient(0)!;
  const sum = (value: ValueId) => c.emit('ReduceSum', [value, c.longs([0, ...axes])], { keepdims: int(0) });
  return [
    c.wants(0)
      ? inputGradient(c, { hat, axes, g: c.emit('Mul', [dy, c.emit('Reshape', [c.input(1), shape])]) })
      : undefined,
    c.wants(1) ? sum(c.emit('Mul', [dy, hat.value])) : undefined,
    c.wants(2) ? sum(dy) : undefined,
  ];
};

/** Groups of channels as one axis each: the norm of [N, G, rest], then a scale per channel (per group in opset 18). */
const groupNormalization: Derivative = (c) => {
  const x = c.input(0);
  const shape = c.shape(x);
  const groups = intOf(c.node, 'num_groups', 1);
  const perGroup = c.shape(c.input(1))[0] === groups && shape[1] !== groups;
  const grouped = (value: ValueId) => c.emit('Reshape', [value, c.longs([0, groups, -1])]);
  const back = (value: ValueId) => c.emit('Reshape', [value, c.shapeOf(x)]);
  const hat = normalised(c, { x: grouped(x), axes: [2] });
  // Scales act on channels of x, or on the groups themselves.
  const rank = perGroup ? 3 : shape.length;
  const others = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== 1);
  const sum = (value: ValueId) => c.emit('ReduceSum', [value, c.longs(others)], { keepdims: int(0) });
  const scale = c.emit('Reshape', [c.input(1), c.longs([1, -1, ...others.slice(1).map(() => 1)])]);
  const dy = perGroup ? grouped(c.gradient(0)!) : c.gradient(0)!;
  const full = perGroup ? hat.value : back(hat.value);
  const scaledDy = () => c.emit('Mul', [dy, scale]);
  const g = () => (perGroup ? scaledDy() : grouped(scaledDy()));
  return [
    c.wants(0) ? back(inputGradient(c, { hat, axes: [2], g: g() })) : undefined,
    c.wants(1) ? sum(c.emit('Mul', [dy, full])) : undefined,
    c.wants(2) ? sum(dy) : undefined,
  ];
};

interface Normalised {
  readonly value: ValueId;
  readonly deviation: ValueId;
}

function normalised(
  c: DerivativeContext,
  { x, axes }: { readonly x: ValueId; readonly axes: readonly number[] },
): Normalised {
  const mean = (value: ValueId) => c.emit('ReduceMean', [value, c.longs(axes)], { keepdims: int(1) });
  const centred = c.emit('Sub', [x, mean(x)]);
  const variance = mean(c.emit('Mul', [centred, centred]));
  const deviation = c.emit('Sqrt', [c.emit('Add', [variance, c.scalar(floatOf(c.node, 'epsilon', 1e-5))])]);
  return { value: c.emit('Div', [centred, deviation]), deviation };
}

function inputGradient(
  c: DerivativeContext,
  { hat, axes, g }: { readonly hat: Normalised; readonly axes: readonly number[]; readonly g: ValueId },
): ValueId {
  const mean = (value: ValueId) => c.emit('ReduceMean', [value, c.longs(axes)], { keepdims: int(1) });
  const along = c.emit('Mul', [hat.value, mean(c.emit('Mul', [g, hat.value]))]);
  return c.emit('Div', [c.emit('Sub', [c.emit('Sub', [g, mean(g)]), along]), hat.deviation]);
}

function scaled(
  c: DerivativeContext,
  {
    hat,
    axes,
    scale,
    bias,
  }: {
    readonly hat: Normalised;
    readonly axes: readonly number[];
    readonly scale: ValueId;
    readonly bias: ValueId | undefined;
  },
): readonly (ValueId | undefined)[] {
  const dy = c.gradient(0)!;
  return [
    c.wants(0) ? inputGradient(c, { hat, axes, g: c.emit('Mul', [dy, scale]) }) : undefined,
    c.wants(1) ? c.unbroadcast(c.emit('Mul', [dy, hat.value]), scale) : undefined,
    bias !== undefined && c.wants(2) ? c.unbroadcast(dy, bias) : undefined,
  ];
}

/** Normalisations. `espalier::BatchNormTraining` uses the statistics of the batch, `BatchNormalization` fixed ones. */
export const normalization = {
  BatchNormalization: inferenceForm,
  'espalier::BatchNormTraining': trainingForm,
  LayerNormalization: layerNormalization,
  InstanceNormalization: instanceNormalization,
  GroupNormalization: groupNormalization,
} satisfies Readonly<Record<string, Derivative>>;
