import type { Derivative } from '../derivative.js';

/**
 * Straight-through estimation: inside the range dx = dy, outside 0; the scale's gradient is LSQ's (Esser et al. 2020,
 * arXiv 1902.08153, eq. 3), without its factor 1/√(N·Q).
 */
const fakeQuantize: Derivative = (c) => {
  const [dx, dscale] = c.emitAll(
    'espalier::FakeQuantizeGradient',
    [c.input(0), c.input(1), c.node.inputs[2], c.gradient(0)],
    { outputs: 2, attributes: Object.fromEntries(c.node.attributes) },
  );
  return [dx, dscale, undefined];
};

/** Quantizers for training. */
export const quantization = { 'espalier::FakeQuantize': fakeQuantize } satisfies Readonly<Record<string, Derivative>>;
