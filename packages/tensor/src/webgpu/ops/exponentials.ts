import type { Tensor as Device } from '@tensorflow/tfjs-core';
import type { Tf } from '../gpu.js';
import { choose } from './choose.js';

/** y, but NaN where x is: many functions of GPUs make a number of it, which would hide that a training went wrong. */
export const keepNaN = (tf: Tf, x: Device, y: Device): Device => choose(tf, tf.isNaN(x), [x, y]);

/** e^x. */
export const exp = (tf: Tf, x: Device): Device => keepNaN(tf, x, tf.exp(x));

/** log x. */
export const log = (tf: Tf, x: Device): Device => keepNaN(tf, x, tf.log(x));
