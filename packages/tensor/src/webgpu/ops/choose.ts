import type { Tensor as Device } from '@tensorflow/tfjs-core';
import type { Tf } from '../gpu.js';

/** a where it is true, b elsewhere, all of one shape. The kernel of TensorFlow.js takes four axes at most. */
export function choose(tf: Tf, truths: Device, [a, b]: readonly [Device, Device]): Device {
  if (a.shape.length <= 4) return tf.where(truths, a, b);
  const flat = (device: Device) => tf.reshape(device, [-1]);
  return tf.reshape(tf.where(flat(truths), flat(a), flat(b)), a.shape);
}
