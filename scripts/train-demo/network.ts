import { int } from '@espalier/core';
import { batchNorm } from './batch-norm.js';
import { type ConvolutionSizes, convolution } from './convolution.js';
import { createParameter, emitParameter, emptyLike, type Layer } from './layer.js';
import { type Allocate, multiplyAdd, multiplyAddTransposed, type Numbers, transpose } from './matrix.js';

/** What every layer is made with. */
export interface Making {
  readonly allocate: Allocate;
  /** Normal random numbers for the weights. */
  readonly normal: () => number;
}

/**
 * The demo network, for 16x16 colour images and 10 classes: a stem, a residual block of two 3x3 convolutions, and
 * twice a 3x3 convolution of stride 2 followed by a residual depthwise block; then global average pooling and one
 * fully connected layer. 17,962 parameters.
 */
export function demoNetwork(making: Making): Layer {
  const conv = (sizes: ConvolutionSizes) => [
    convolution(sizes, making.allocate, making.normal),
    batchNorm(sizes.name.replace('conv', 'norm'), sizes.to, making.allocate),
  ];
  const separable = (name: string, width: number) =>
    residual(name, making, [
      ...conv({ name: `${name}.conv1`, from: width, to: width, kernel: 3, groups: width }),
      relu(`${name}.relu1`, making),
      ...conv({ name: `${name}.conv2`, from: width, to: width, kernel: 1 }),
    ]);
  return inOrder([
    ...conv({ name: 'stem.conv', from: 3, to: 8, kernel: 3 }),
    relu('stem.relu', making),
    residual('block1', making, [
      ...conv({ name: 'block1.conv1', from: 8, to: 8, kernel: 3 }),
      relu('block1.relu1', making),
      ...conv({ name: 'block1.conv2', from: 8, to: 8, kernel: 3 }),
    ]),
    ...conv({ name: 'down1.conv', from: 8, to: 24, kernel: 3, stride: 2 }),
    relu('down1.relu', making),
    separable('block2', 24),
    ...conv({ name: 'down2.conv', from: 24, to: 48, kernel: 3, stride: 2 }),
    relu('down2.relu', making),
    separable('block3', 48),
    averagePool('pool', making),
    dense('head', { from: 48, to: 10 }, making),
  ]);
}

/** One layer after the other. */
function inOrder(layers: readonly Layer[]): Layer {
  return {
    parameters: layers.flatMap((layer) => layer.parameters),
    forward: (x, training) => layers.reduce((value, layer) => layer.forward(value, training), x),
    backward: (dy) => layers.reduceRight((value, layer) => layer.backward(value), dy),
    emit: (builder, x) => layers.reduce((value, layer) => layer.emit(builder, value), x),
  };
}

/** y = relu(x + f(x)) (He et al. 2016, arXiv 1512.03385). */
function residual(name: string, making: Making, layers: readonly Layer[]): Layer {
  const inner = inOrder(layers);
  const last = relu(`${name}.relu2`, making);
  return {
    parameters: inner.parameters,
    forward(x, training) {
      const y = inner.forward(x, training);
      for (let i = 0; i < y.data.length; i++) y.data[i] = y.data[i]! + x.data[i]!;
      return last.forward(y, training);
    },
    backward(dy) {
      const dSum = last.backward(dy);
      const dx = inner.backward(dSum);
      for (let i = 0; i < dx.data.length; i++) dx.data[i] = dx.data[i]! + dSum.data[i]!;
      return dx;
    },
    emit: (builder, x) => last.emit(builder, builder.add('Add', [inner.emit(builder, x), x], { name: `${name}.add` })),
  };
}

/** y = max(x, 0). */
function relu(name: string, { allocate }: Making): Layer {
  let positive: Numbers;
  return {
    parameters: [],
    forward(x) {
      const y = emptyLike(x, allocate);
      for (let i = 0; i < y.data.length; i++) y.data[i] = Math.max(0, x.data[i]!);
      positive = y.data;
      return y;
    },
    backward(dy) {
      const dx = emptyLike(dy, allocate);
      for (let i = 0; i < dx.data.length; i++) dx.data[i] = positive[i]! > 0 ? dy.data[i]! : 0;
      return dx;
    },
    emit: (builder, x) => builder.add('Relu', [x], { name }),
  };
}

/** The mean of each channel. */
function averagePool(name: string, { allocate }: Making): Layer {
  let side = 1;
  return {
    parameters: [],
    forward(x) {
      side = x.side;
      const y = emptyLike(x, allocate, { side: 1 });
      for (let i = 0; i < x.data.length; i++) {
        const to = Math.floor(i / side ** 2);
        y.data[to] = y.data[to]! + x.data[i]! / side ** 2;
      }
      return y;
    },
    backward(dy) {
      const dx = emptyLike(dy, allocate, { side });
      for (let i = 0; i < dx.data.length; i++) dx.data[i] = dy.data[Math.floor(i / side ** 2)]! / side ** 2;
      return dx;
    },
    emit: (builder, x) => builder.add('GlobalAveragePool', [x], { name }),
  };
}

/** Y = X Wᵀ + b on flattened samples. */
function dense(name: string, { from, to }: { readonly from: number; readonly to: number }, making: Making): Layer {
  const { allocate, normal } = making;
  const fill = () => normal() / Math.sqrt(from);
  const weight = createParameter(`${name}.weight`, [to, from], { allocate, fill, decay: true });
  const bias = createParameter(`${name}.bias`, [to], { allocate, fill: () => 0, decay: false });
  let x: Numbers;
  return {
    parameters: [weight, bias],
    forward(input) {
      x = input.data;
      const y = emptyLike(input, allocate, { channels: to, side: 1 });
      for (let i = 0; i < y.data.length; i++) y.data[i] = bias.value[i % to]!;
      multiplyAddTransposed(y.data, { a: x, b: weight.value, m: input.count, k: to, n: from });
      return y;
    },
    backward(dy) {
      const dx = emptyLike(dy, allocate, { channels: from });
      multiplyAdd(dx.data, { a: dy.data, b: weight.value, m: dy.count, k: to, n: from });
      const turned = transpose(dy.data, { m: dy.count, k: to, out: allocate(dy.data.length) });
      multiplyAdd(weight.gradient, { a: turned, b: x, m: to, k: dy.count, n: from });
      for (let i = 0; i < dy.data.length; i++) bias.gradient[i % to] = bias.gradient[i % to]! + dy.data[i]!;
      return dx;
    },
    emit(builder, input) {
      const flat = builder.add('Flatten', [input], { name: `${name}.flat`, attributes: { axis: int(1) } });
      const inputs = [flat, emitParameter(builder, weight), emitParameter(builder, bias)];
      return builder.add('Gemm', inputs, { name: 'logits', attributes: { transB: int(1) } });
    },
  };
}
