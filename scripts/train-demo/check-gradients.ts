import { createRandom } from '@espalier/core';
import type { Batch } from './layer.js';
import { crossEntropy } from './loss.js';
import { demoNetwork } from './network.js';

const allocate = (length: number) => new Float64Array(length);
const step = 1e-7; // small, so that hardly any rectifier switches in between

/** Compares the gradient of every parameter, at a few random elements, with central differences in float64. */
export function checkGradients(): void {
  const random = createRandom(1);
  const network = demoNetwork({ allocate, normal: random.normal });
  const images: Batch = { count: 4, channels: 3, side: 8, data: allocate(4 * 3 * 64).map(random.normal) };
  const labels = [3, 1, 4, 9];
  const loss = () => crossEntropy(network.forward(images, true), labels, allocate);
  network.backward(loss().gradient);
  let worst = 0;
  for (const { name, value, gradient } of network.parameters) {
    for (let k = 0; k < 6; k++) {
      const i = random.below(value.length);
      const kept = value[i]!;
      const at = (moved: number) => {
        value[i] = moved;
        return loss().value;
      };
      const difference = (at(kept + step) - at(kept - step)) / (2 * step);
      value[i] = kept;
      const error = Math.abs(difference - gradient[i]!) / Math.max(1e-3, Math.abs(difference));
      worst = Math.max(worst, error);
      if (error > 1e-3) throw new Error(`${name}[${i}]: gradient ${gradient[i]}, difference ${difference}`);
    }
  }
  process.stdout.write(`gradients agree with differences, largest relative error ${worst.toExponential(1)}\n`);
}
