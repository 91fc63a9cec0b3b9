import { type Graph, int, intOf, type Node, opsetOf, sizeOf, type Tensor, tensor } from '@espalier/core';
import { evaluateNode } from '@espalier/ops';
import { gridOf } from '@espalier/passes';
import { read, sum, written, zeros64 } from './array64.js';
import { conv, convInputGradient, convTranspose, convWeightGradient } from './convolution.js';
import { einsum, scatterElements, scatterND, topK } from './indexing.js';
import {
  batchNormalization,
  batchNormGradient,
  batchNormTraining,
  channelNormalization,
  layerNormalization,
} from './normalization.js';
import { averagePool, globalPool, maxPool, maxPoolGradient } from './pooling.js';

type Evaluator = (node: Node, inputs: readonly (Tensor | undefined)[]) => readonly Tensor[];

/** Softmax along one axis of a positive size. */
const softmax =
  (finish: (x: number, top: number, total: number) => number): Evaluator =>
  (node, inputs) => {
    const x = read(inputs[0]);
    const given = intOf(node, 'axis', -1);
    const axis = given < 0 ? given + x.shape.length : given;
    const [count, inner] = [x.shape[axis]!, sizeOf(x.shape.slice(axis + 1))];
    const y = zeros64(x.shape);
    for (let line = 0; line < x.data.length / count; line++) {
      const at = (i: number) => (Math.floor(line / inner) * count + i) * inner + (line % inner);
      const top = Math.max(...Array.from({ length: count }, (_, i) => x.data[at(i)]!));
      const total = sum(count, (i) => Math.exp(x.data[at(i)]! - top));
      for (let i = 0; i < count; i++) y.data[at(i)] = finish(x.data[at(i)]!, top, total);
    }
    return [written(y)];
  };

/** Which step a number falls on: v and clip(v) for FakeQuantize and its gradient. */
function lattice(node: Node, inputs: readonly (Tensor | undefined)[]) {
  const [x, scale] = [read(inputs[0]), read(inputs[1])];
  const zero = inputs[2] && read(inputs[2]).data;
  const { low, high } = gridOf(node);
  const axis = intOf(node, 'axis', 1);
  const inner = sizeOf(x.shape.slice((axis < 0 ? axis + x.shape.length : axis) + 1));
  const index = (i: number) => (scale.data.length === 1 ? 0 : Math.floor(i / inner) % scale.data.length);
  const v = (i: number) => x.data[i]! / scale.data[index(i)]!;
  const z = (i: number) => zero?.[index(i)] ?? 0;
  const clipped = (i: number) => Math.min(Math.max(v(i), low - z(i)), high - z(i));
  return { x, scale, index, v, clipped };
}

const even = (v: number) => (Math.abs(v % 1) === 0.5 ? 2 * Math.round(v / 2) : Math.round(v));

const fakeQuantize: Evaluator = (node, inputs) => {
  const { x, scale, index, clipped } = lattice(node, inputs);
  return [written({ shape: x.shape, data: x.data.map((_, i) => even(clipped(i)) * scale.data[index(i)]!) })];
};

const fakeQuantizeGradient: Evaluator = (node, inputs) => {
  const { x, scale, index, v, clipped } = lattice(node, inputs);
  const dy = read(inputs[3]);
  const [dx, dscale] = [zeros64(x.shape), zeros64(scale.shape)];
  for (let i = 0; i < x.data.length; i++) {
    const inside = clipped(i) === v(i);
    dx.data[i] = inside ? dy.data[i]! : 0;
    dscale.data[index(i)]! += dy.data[i]! * (inside ? even(v(i)) - v(i) : clipped(i));
  }
  return [written(dx), written(dscale)];
};

/** Nearest-neighbour by whole factors. */
const resize: Evaluator = (_, inputs) => {
  const x = read(inputs[0]);
  const scales = inputs[2] && inputs[2].data.length > 0 ? read(inputs[2]).data : undefined;
  const shape = x.shape.map((size, axis) => (scales ? size * scales[axis]! : read(inputs[3]).data[axis]!));
  const y = zeros64(shape);
  for (let o = 0; o < y.data.length; o++) {
    let [rest, i, step] = [o, 0, 1];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      i += Math.floor((rest % shape[axis]!) / (shape[axis]! / x.shape[axis]!)) * step;
      step *= x.shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    y.data[o] = x.data[i]!;
  }
  return [written(y)];
};

/** DepthToSpace and its inverse move element (c, a, b) of a block to channel and offset, as the mode orders them. */
const blocks =
  (toSpace: boolean): Evaluator =>
  (node, inputs) => {
    const x = read(inputs[0]);
    const size = intOf(node, 'blocksize', 1);
    const crd = node.attributes.get('mode')?.value === 'CRD';
    const [n, c, h, w] = x.shape as [number, number, number, number];
    const [deep, rows, columns] = toSpace ? [c / size ** 2, h, w] : [c, h / size, w / size];
    const shape = toSpace ? [n, deep, h * size, w * size] : [n, c * size ** 2, rows, columns];
    const y = zeros64(shape);
    for (let i = 0; i < n * deep * rows * columns * size ** 2; i++) {
      const [b, a] = [i % size, Math.floor(i / size) % size];
      let rest = Math.floor(i / size ** 2);
      const column = rest % columns;
      rest = Math.floor(rest / columns);
      const row = rest % rows;
      rest = Math.floor(rest / rows);
      const [channel, image] = [rest % deep, Math.floor(rest / deep)];
      const depth = crd ? (channel * size + a) * size + b : (a * size + b) * deep + channel;
      const packed = ((image * deep * size ** 2 + depth) * rows + row) * columns + column;
      const spread = ((image * deep + channel) * rows * size + row * size + a) * columns * size + column * size + b;
      if (toSpace) y.data[spread] = x.data[packed]!;
      else y.data[packed] = x.data[spread]!;
    }
    return [written(y)];
  };

const slow: Readonly<Record<string, Evaluator>> = {
  Conv: conv,
  ConvTranspose: convTranspose,
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: globalPool((values) => sum(values.length, (i) => values[i]!) / values.length),
  GlobalMaxPool: globalPool((values) => Math.max(...values)),
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  InstanceNormalization: channelNormalization((_, channels) => channels),
  GroupNormalization: channelNormalization((node) => intOf(node, 'num_groups', 1)),
  Softmax: softmax((x, top, total) => Math.exp(x - top) / total),
  LogSoftmax: softmax((x, top, total) => x - top - Math.log(total)),
  Resize: resize,
  DepthToSpace: blocks(true),
  SpaceToDepth: blocks(false),
  Einsum: einsum,
  ScatterElements: scatterElements,
  ScatterND: scatterND,
  TopK: topK,
  Dropout: (_, inputs) => [inputs[0]!],
  'espalier::BatchNormGradient': batchNormGradient,
  'espalier::BatchNormTraining': batchNormTraining,
  'espalier::ConvInputGradient': convInputGradient,
  'espalier::ConvWeightGradient': convWeightGradient,
  'espalier::FakeQuantize': fakeQuantize,
  'espalier::FakeQuantizeGradient': fakeQuantizeGradient,
  'espalier::MaxPoolGradient': maxPoolGradient,
};

const widened = (from: Tensor): Tensor =>
  from.dtype === 'float32' ? tensor('float64', from.shape, Float64Array.from(from.data)) : from;

/**
 * Runs a graph in float64, slowly and obviously: a reference for gradients and for lowerings. float32 constants, feeds
 * and casts become float64. Returns every value.
 */
export function evaluateGraph(graph: Graph, feeds: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> {
  const values = new Map<string, Tensor>();
  for (const [name, value] of [...graph.constants, ...feeds]) values.set(name, widened(value));
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => (name === undefined ? undefined : values.get(name)));
    const outputs = Object.hasOwn(slow, node.op)
      ? slow[node.op]!(node, inputs)
      : evaluateNode(inFloat64(node), { inputs, opset: opsetOf(graph) });
    if (!outputs) throw new Error(`the reference cannot compute ${node.op} (${node.id})`);
    node.outputs.forEach((name, i) => {
      if (name !== undefined && outputs[i]) values.set(name, widened(outputs[i]));
    });
  }
  return values;
}

const inFloat64 = (node: Node): Node =>
  node.op === 'Cast' && intOf(node, 'to', 1) === 1
    ? { ...node, attributes: new Map([...node.attributes, ['to', int(11)]]) }
    : node;
