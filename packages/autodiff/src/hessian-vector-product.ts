import { buildGraph, type Graph, int, tensorInfo, type ValueId } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { unknownShapeOf } from './errors.js';
import { explicitBatchNorms } from './explicit-batch-norms.js';
import { gradients } from './gradients.js';

/** A graph with gradients and products of the Hessian with vectors that are fed. */
export interface HessianVectorProduct {
  readonly graph: Graph;
  /** The input that takes the vector, of the value's shape, by the value differentiated to. */
  readonly vectors: ReadonlyMap<ValueId, ValueId>;
  readonly gradients: ReadonlyMap<ValueId, ValueId>;
  /** (H v) of each value: the mixed second derivatives of all of them count. */
  readonly products: ReadonlyMap<ValueId, ValueId>;
}

/**
 * H v without H: the gradient of ⟨∇L, v⟩ with respect to the same values (Pearlmutter 1994, eq. 4). Differentiates
 * twice, so the rules' own ops must have rules; batch norms in training form are written out first. For L = Σ x³ and
 * x = [1, 2], v = [1, 1] it is [6, 12].
 * @throws AUTODIFF_OP where a second derivative is not written; `hessianVectorDifference` needs first ones only.
 */
export function hessianVectorProduct(graph: Graph, loss: ValueId, wrt: readonly ValueId[]): HessianVectorProduct {
  const first = gradients(explicitBatchNorms(inferShapes(graph)), loss, wrt);
  const b = buildGraph(first.graph);
  const vectors = new Map<ValueId, ValueId>();
  const parts = wrt.map((value) => {
    const info = tensorInfo(first.graph, value);
    if (!info?.shape) throw unknownShapeOf(value);
    const vector = b.input(`${value}.vector`, info.dtype, info.shape);
    vectors.set(value, vector);
    const product = b.add('Mul', [first.gradients.get(value), vector]);
    return b.add('ReduceSum', [product], { attributes: { keepdims: int(0) } });
  });
  const along = b.add('Sum', parts, { name: 'directional_derivative' });
  const second = gradients(b.finish(), along, wrt);
  return { graph: second.graph, vectors, gradients: first.gradients, products: second.gradients };
}
