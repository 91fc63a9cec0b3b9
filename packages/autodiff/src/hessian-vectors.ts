import {
  EspalierError,
  type Executor,
  type Graph,
  type Note,
  type Session,
  type Tensor,
  type ValueId,
} from '@espalier/core';
import { gradients } from './gradients.js';
import { hessianVectorDifference } from './hessian-vector-difference.js';
import { hessianVectorProduct } from './hessian-vector-product.js';

type Tensors = ReadonlyMap<string, Tensor>;

/** A loss whose curvature is asked for. */
export interface CurvatureRequest {
  readonly graph: Graph;
  /** A scalar value of the graph. */
  readonly loss: ValueId;
  /** Inputs of the graph. */
  readonly wrt: readonly ValueId[];
  readonly executor: Executor;
}

/** Products with the Hessian of a loss. */
export interface HessianVectors {
  /** H v at the inputs fed, by the value differentiated to; `vectors` has one of the value's shape for each. */
  along(vectors: Tensors, feeds: Tensors): Promise<Tensors>;
  /** Set where products are differences of gradients, with the op that cannot be differentiated twice. */
  readonly note?: Note;
  close(): Promise<void>;
}

/**
 * Products of the Hessian of a loss with vectors: exact ones where every op on the way can be differentiated twice, else
 * central differences of gradients (relative error about 1e-3) and a note that says so.
 * @throws AUTODIFF_OP where not even the gradient exists, and what the executor throws.
 */
export async function hessianVectors(request: CurvatureRequest): Promise<HessianVectors> {
  const { wrt, executor } = request;
  const exact = twice(request);
  if ('cause' in exact) return byDifferences(request, exact.cause);
  const { vectors: inputs, products } = exact;
  const session = await executor.open({ ...exact.graph, outputs: [...new Set(products.values())] });
  return {
    close: () => session.close(),
    async along(vectors, feeds) {
      const given = new Map(feeds);
      for (const value of wrt) given.set(inputs.get(value)!, vectors.get(value)!); // each has an input
      return named(await run(session, given), products);
    },
  };
}

const twice = ({ graph, loss, wrt }: CurvatureRequest) => {
  try {
    return hessianVectorProduct(graph, loss, wrt);
  } catch (cause) {
    if (cause instanceof EspalierError && (cause.code === 'AUTODIFF_OP' || cause.code === 'AUTODIFF_FORM'))
      return { cause };
    throw cause;
  }
};

async function byDifferences(
  { graph, loss, wrt, executor }: CurvatureRequest,
  cause: EspalierError,
): Promise<HessianVectors> {
  const first = gradients(graph, loss, wrt);
  const session = await executor.open({ ...first.graph, outputs: [...new Set(first.gradients.values())] });
  const { node, op } = cause.details;
  return {
    note: {
      outcome: 'warning',
      reason: `Products with the Hessian are central differences of gradients: ${cause.message}`,
      ...(typeof node === 'string' ? { node } : {}),
      ...(typeof op === 'string' ? { op } : {}),
    },
    close: () => session.close(),
    along(vectors, feeds) {
      const weights = new Map(wrt.map((value): [string, Tensor] => [value, feeds.get(value)!])); // inputs, so they are fed
      const gradientAt = async (moved: Tensors) =>
        named(await run(session, new Map([...feeds, ...moved])), first.gradients);
      return hessianVectorDifference(gradientAt, weights, vectors);
    },
  };
}

/** Runs with what the session takes of the feeds: an input that no gradient depends on is none of its own. */
const run = (session: Session, feeds: Tensors): Promise<Tensors> => {
  const names = new Set(session.inputs.map(({ name }) => name));
  return session.run(new Map([...feeds].filter(([name]) => names.has(name))));
};

const named = (results: Tensors, names: ReadonlyMap<ValueId, ValueId>): Tensors =>
  new Map([...names].map(([value, result]) => [value, results.get(result)!])); // all were fetched
