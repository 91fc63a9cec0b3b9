import { floats, type Random, sizeOf, type Tensor } from '@espalier/core';
import { drawNormal, drawUniform } from './draw-floats.js';

/** First values of a weight tensor `[out, in, ...window]`. */
export type Initial = (shape: readonly number[], random: Random) => Tensor<'float32'>;

const fanIn = (shape: readonly number[]): number => sizeOf(shape.slice(1));
const fanOut = (shape: readonly number[]): number => shape[0]! * sizeOf(shape.slice(2));

const normalOf =
  (deviation: (shape: readonly number[]) => number): Initial =>
  (shape, random) =>
    floats(drawNormal(sizeOf(shape), deviation(shape), random), shape);
const uniformOf =
  (bound: (shape: readonly number[]) => number): Initial =>
  (shape, random) =>
    floats(drawUniform(sizeOf(shape), bound(shape), random), shape);

/** The distributions that weights begin with, as PyTorch and torchvision choose them. */
export const initial = {
  /** N(0, 2 / fan-out): keeps the variance of gradients through ReLU (He et al. 2015, arXiv 1502.01852, eq. 14). */
  heFanOut: normalOf((shape) => Math.sqrt(2 / fanOut(shape))),
  /** U(±1/√fan-in), what PyTorch gives every convolution and linear layer (He's uniform form with slope √5). */
  fanIn: uniformOf((shape) => 1 / Math.sqrt(fanIn(shape))),
  /** U(±√(6 / (fan-in + fan-out))) (Glorot and Bengio 2010, eq. 16). */
  glorot: uniformOf((shape) => Math.sqrt(6 / (fanIn(shape) + fanOut(shape)))),
  /** N(0, deviation²). */
  normal: (deviation: number): Initial => normalOf(() => deviation),
  /** U(±bound). */
  uniform: (bound: number): Initial => uniformOf(() => bound),
  /** The same value everywhere. */
  filled:
    (value: number): Initial =>
    (shape) =>
      floats(new Float32Array(sizeOf(shape)).fill(value), shape),
} as const;
