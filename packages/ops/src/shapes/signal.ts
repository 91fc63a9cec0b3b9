import { type Dim, intOf } from '@espalier/core';
import type { OpName } from '../op-names.js';
import { addDims, floorDivDims, subDims } from './dim.js';
import { numberOf } from './elements.js';
import { axisWithin, type ShapeRule, shapeOfRank, typeOf } from './site.js';

const half = (length: Dim): Dim => addDims(floorDivDims(length, 2), 1);

/**
 * The transformed axis takes the wanted length, or half of it and one for one-sided results; the last axis holds
 * real and imaginary part. A one-sided inverse (opset 20) gives real numbers.
 */
const dft: ShapeRule = (site) => {
  const shape = shapeOfRank(site, 0, 2);
  const axisGiven = site.node.inputs[2] === undefined ? -2 : numberOf(site.elements(2));
  const given = intOf(site.node, 'axis', undefined) ?? (site.opset > 0 && site.opset < 20 ? 1 : axisGiven);
  if (!shape || given === undefined) return [typeOf(site.dtype(0))];
  const axis = axisWithin(site, given, shape.length);
  const oneSided = intOf(site.node, 'onesided', 0) === 1;
  const inverse = intOf(site.node, 'inverse', 0) === 1;
  const computed = site.node.inputs[1] !== undefined;
  const wanted = computed ? (site.elements(1)?.items[0] ?? site.fresh(axis)) : undefined;
  const input = shape[axis]!;
  const length = wanted ?? (oneSided && inverse ? addDims(subDims(input, 1), subDims(input, 1)) : input);
  const out = [...shape.slice(0, -1), oneSided && inverse ? 1 : 2];
  out[axis] = oneSided && !inverse ? half(length) : length;
  return [typeOf(site.dtype(0), out)];
};

/** [batch, frames, bins, 2] with ⌊(samples - length)/step⌋ + 1 frames. */
const stft: ShapeRule = (site) => {
  const signal = shapeOfRank(site, 0, 2, 3);
  const step = numberOf(site.elements(1));
  const window = site.shape(2)?.[0];
  const length = site.elements(3)?.items[0] ?? window;
  const samples = signal?.[1];
  const frames =
    samples === undefined || length === undefined || !step
      ? site.fresh(1)
      : addDims(floorDivDims(subDims(samples, length), step), 1);
  const bins = length === undefined ? site.fresh(2) : intOf(site.node, 'onesided', 1) === 1 ? half(length) : length;
  return [typeOf(site.dtype(0), [signal?.[0] ?? site.fresh(0), frames, bins, 2])];
};

/** Fourier transforms. */
export const signalRules = {
  DFT: dft,
  STFT: stft,
} as const satisfies Partial<Record<OpName, ShapeRule>>;
