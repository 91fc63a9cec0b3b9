import { floatOf, intOf, type Node, sizeOf, type Tensor } from '@espalier/core';
import { type Array64, read, sum, written, zeros64 } from './array64.js';

type Inputs = readonly (Tensor | undefined)[];
const epsilonOf = (node: Node) => floatOf(node, 'epsilon', 1e-5);

/** Positions of x that belong to one channel (axis 1). */
function ofChannel(x: Array64, channel: number): readonly number[] {
  const inner = sizeOf(x.shape.slice(2));
  const places: number[] = [];
  for (let n = 0; n < x.shape[0]!; n++) {
    for (let i = 0; i < inner; i++) places.push((n * x.shape[1]! + channel) * inner + i);
  }
  return places;
}

function momentsOf(x: Array64, places: readonly number[]): { readonly mean: number; readonly variance: number } {
  const mean = sum(places.length, (i) => x.data[places[i]!]!) / places.length;
  return { mean, variance: sum(places.length, (i) => (x.data[places[i]!]! - mean) ** 2) / places.length };
}

/** BatchNormalization of the inference form. */
export function batchNormalization(node: Node, inputs: Inputs): readonly Tensor[] {
  const [x, scale, bias, mean, variance] = [0, 1, 2, 3, 4].map((i) => read(inputs[i])) as Array64[] as [
    Array64,
    Array64,
    Array64,
    Array64,
    Array64,
  ]; // five
  const y = zeros64(x.shape);
  for (let c = 0; c < x.shape[1]!; c++) {
    for (const i of ofChannel(x, c)) {
      const hat = (x.data[i]! - mean.data[c]!) / Math.sqrt(variance.data[c]! + epsilonOf(node));
      y.data[i] = hat * scale.data[c]! + bias.data[c]!;
    }
  }
  return [written(y)];
}

/** espalier::BatchNormTraining. */
export function batchNormTraining(node: Node, inputs: Inputs): readonly Tensor[] {
  const x = read(inputs[0]);
  const [means, variances] = [zeros64([x.shape[1]!]), zeros64([x.shape[1]!])];
  for (let c = 0; c < x.shape[1]!; c++) {
    const { mean, variance } = momentsOf(x, ofChannel(x, c));
    means.data[c] = mean;
    variances.data[c] = variance;
  }
  const statistics = [written(means), written(variances)];
  return [...batchNormalization(node, [...inputs.slice(0, 3), ...statistics]), ...statistics];
}

/** espalier::BatchNormGradient, through x̂: dx = scale/σ (dy - mean(dy) - x̂ mean(dy x̂)). */
export function batchNormGradient(node: Node, inputs: Inputs): readonly Tensor[] {
  const [x, scale, , , dy] = [0, 1, 2, 3, 4].map((i) => read(inputs[i])) as Array64[] as [
    Array64,
    Array64,
    Array64,
    Array64,
    Array64,
  ]; // five
  const [dx, dscale, dbias] = [zeros64(x.shape), zeros64(scale.shape), zeros64(scale.shape)];
  for (let c = 0; c < x.shape[1]!; c++) {
    const places = ofChannel(x, c);
    const { mean, variance } = momentsOf(x, places);
    const deviation = Math.sqrt(variance + epsilonOf(node));
    const hat = (i: number) => (x.data[i]! - mean) / deviation;
    dbias.data[c] = sum(places.length, (j) => dy.data[places[j]!]!);
    dscale.data[c] = sum(places.length, (j) => dy.data[places[j]!]! * hat(places[j]!));
    for (const i of places) {
      const centred = dy.data[i]! - (dbias.data[c]! + hat(i) * dscale.data[c]!) / places.length;
      dx.data[i] = (scale.data[c]! / deviation) * centred;
    }
  }
  return [written(dx), written(dscale), written(dbias)];
}

/** Blocks of `size` consecutive elements are normalised, then scaled by what `of` says for each position. */
function blocks(
  node: Node,
  x: Array64,
  { size, scale, bias }: { size: number; scale: (i: number) => number; bias: (i: number) => number },
): readonly Tensor[] {
  const y = zeros64(x.shape);
  for (let start = 0; start < x.data.length; start += size) {
    const places = Array.from({ length: size }, (_, i) => start + i);
    const { mean, variance } = momentsOf(x, places);
    for (const i of places) {
      y.data[i] = ((x.data[i]! - mean) / Math.sqrt(variance + epsilonOf(node))) * scale(i) + bias(i);
    }
  }
  return [written(y)];
}

/** LayerNormalization. */
export function layerNormalization(node: Node, inputs: Inputs): readonly Tensor[] {
  const x = read(inputs[0]);
  const axis = intOf(node, 'axis', -1);
  const size = sizeOf(x.shape.slice(axis));
  const pick = (slot: number, fallback: number) => {
    const values = inputs[slot] && read(inputs[slot]).data;
    return (i: number) => (values ? values[(i % size) % values.length]! : fallback);
  };
  return blocks(node, x, { size, scale: pick(1, 1), bias: pick(2, 0) });
}

/** InstanceNormalization; GroupNormalization of opset 21 and, with one scale a group, 18. */
export const channelNormalization =
  (groupsOf: (node: Node, channels: number) => number) =>
  (node: Node, inputs: Inputs): readonly Tensor[] => {
    const [x, scale, bias] = [read(inputs[0]), read(inputs[1]).data, read(inputs[2]).data];
    const channels = x.shape[1]!;
    const inner = sizeOf(x.shape.slice(2));
    const per = channels / scale.length;
    const at = (values: Float64Array) => (i: number) => values[Math.floor((Math.floor(i / inner) % channels) / per)]!;
    return blocks(node, x, {
      size: (channels / groupsOf(node, channels)) * inner,
      scale: at(scale),
      bias: at(bias),
    });
  };
