import { definePlugin, type GraphBuilder, int, type ValueId } from '@espalier/core';

/** Mean of (a - b)² over all elements. */
export function squaredError(b: GraphBuilder, one: ValueId, other: ValueId): ValueId {
  const difference = b.add('Sub', [one, other]);
  return b.add('ReduceMean', [b.add('Mul', [difference, difference])], { attributes: { keepdims: int(0) } });
}

/** Mean squared error of the output against a target of its shape. For output [1, 3] and target [0, 1] it is 2.5. */
export const meanSquaredError = /* @__PURE__ */ definePlugin({
  kind: 'loss',
  id: 'mse',
  about: 'Mean squared error against a target of the shape of the output.',
  options: {},
  create: () => ({ build: (b, { output, target }) => squaredError(b, output, target) }),
});
