import { float, floats } from '@espalier/core';
import { type Batch, createParameter, emitParameter, emptyLike, type Layer } from './layer.js';
import type { Allocate } from './matrix.js';

const epsilon = 1e-5;
const momentum = 0.1;

/**
 * Batch normalization (Ioffe and Szegedy 2015, arXiv 1502.03167): y = g (x - m) / sqrt(v + e) + b per channel, with
 * mean and variance of the batch while training and their running averages afterwards. Derivative:
 * dx = g / sqrt(v + e) (dy - mean(dy) - n mean(dy n)), with n the normalized input.
 */
export function batchNorm(name: string, channels: number, allocate: Allocate): Layer {
  const scale = createParameter(`${name}.scale`, [channels], { allocate, fill: () => 1, decay: false });
  const bias = createParameter(`${name}.bias`, [channels], { allocate, fill: () => 0, decay: false });
  const [mean, variance] = [allocate(channels), allocate(channels).fill(1)];
  const inverse = allocate(channels);
  let normal: Batch;

  return {
    parameters: [scale, bias],
    forward(x, training) {
      const [y, plane] = [emptyLike(x, allocate), x.side ** 2];
      normal = emptyLike(x, allocate);
      for (let c = 0; c < channels; c++) {
        let [m, v] = [mean[c]!, variance[c]!];
        if (training) {
          [m, v] = momentsOf(x, c);
          mean[c] = mean[c]! + momentum * (m - mean[c]!);
          variance[c] = variance[c]! + momentum * (v - variance[c]!);
        }
        const factor = 1 / Math.sqrt(v + epsilon);
        inverse[c] = factor;
        const [g, b] = [scale.value[c]!, bias.value[c]!];
        for (let s = 0; s < x.count; s++) {
          const from = (s * channels + c) * plane;
          for (let i = from; i < from + plane; i++) {
            const n = (x.data[i]! - m) * factor;
            normal.data[i] = n;
            y.data[i] = g * n + b;
          }
        }
      }
      return y;
    },
    backward(dy) {
      const [dx, plane] = [emptyLike(dy, allocate), dy.side ** 2];
      const total = dy.count * plane;
      for (let c = 0; c < channels; c++) {
        let [sum, along] = [0, 0];
        for (let s = 0; s < dy.count; s++) {
          const from = (s * channels + c) * plane;
          for (let i = from; i < from + plane; i++) {
            sum += dy.data[i]!;
            along += dy.data[i]! * normal.data[i]!;
          }
        }
        bias.gradient[c] = bias.gradient[c]! + sum;
        scale.gradient[c] = scale.gradient[c]! + along;
        const factor = scale.value[c]! * inverse[c]!;
        const [average, slope] = [sum / total, along / total];
        for (let s = 0; s < dy.count; s++) {
          const from = (s * channels + c) * plane;
          for (let i = from; i < from + plane; i++) {
            dx.data[i] = factor * (dy.data[i]! - average - normal.data[i]! * slope);
          }
        }
      }
      return dx;
    },
    emit(builder, x) {
      const running = [mean, variance].map((each, i) =>
        builder.constant(`${name}.${i === 0 ? 'mean' : 'variance'}`, floats(Float32Array.from(each))),
      );
      const inputs = [x, emitParameter(builder, scale), emitParameter(builder, bias), ...running];
      return builder.add('BatchNormalization', inputs, { name, attributes: { epsilon: float(epsilon) } });
    },
  };
}

function momentsOf(x: Batch, channel: number): [mean: number, variance: number] {
  const plane = x.side ** 2;
  let [sum, squares] = [0, 0];
  for (let s = 0; s < x.count; s++) {
    const from = (s * x.channels + channel) * plane;
    for (let i = from; i < from + plane; i++) {
      sum += x.data[i]!;
      squares += x.data[i]! ** 2;
    }
  }
  const total = x.count * plane;
  const mean = sum / total;
  return [mean, Math.max(0, squares / total - mean * mean)];
}
