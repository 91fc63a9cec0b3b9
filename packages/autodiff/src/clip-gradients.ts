import { floats, type GraphBuilder, int, type ValueId } from '@espalier/core';

/**
 * Adds nodes that scale all gradients by one factor so that their common norm is at most `limit`:
 *
 *     g ← g · min(1, limit / (√Σ ‖g‖² + 1e-6))
 *
 * (Pascanu, Mikolov & Bengio 2013, arXiv 1211.5063, algorithm 1). For gradients [3] and [4] and limit 1 they become
 * [0.6] and [0.8].
 */
export function clipGradients(b: GraphBuilder, gradients: readonly ValueId[], limit: number): readonly ValueId[] {
  if (gradients.length === 0) return gradients;
  const number = (value: number) => b.constant('clip', floats([value], []));
  const squares = gradients.map((each) => b.add('ReduceSumSquare', [each], { attributes: { keepdims: int(0) } }));
  const norm = b.add('Sqrt', [b.add('Sum', squares)], { name: 'gradient_norm' });
  const room = b.add('Div', [number(limit), b.add('Add', [norm, number(1e-6)])]);
  const factor = b.add('Min', [room, number(1)]);
  return gradients.map((each) => b.add('Mul', [each, factor], { name: `${each}_clipped` }));
}
