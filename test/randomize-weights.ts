import {
  createRandom,
  fromNumbers,
  type Graph,
  isFloat,
  type Node,
  sizeOf,
  type Tensor,
  type Use,
  usesOf,
} from '@espalier/core';

/**
 * The same network with every float weight of more than one element replaced by seeded values: uniform with the He
 * variance 2 / fan-in (He et al. 2015, arXiv 1502.01852) for what multiplies, near one for scales, small for shifts,
 * between 0.5 and 1.5 for batch-norm variances. Single numbers are left: they are factors and epsilons of the
 * architecture. Each tensor's values depend on its name and the seed only.
 */
export function randomizeWeights(graph: Graph, seed: number): Graph {
  const random = createRandom(seed);
  const constants = new Map<string, Tensor>();
  for (const [name, tensor] of graph.constants) {
    const count = sizeOf(tensor.shape);
    const replace = isFloat(tensor.dtype) && tensor.dtype !== 'float8e8m0' && count > 1;
    if (!replace) {
      constants.set(name, tensor);
      continue;
    }
    const { center, spread } = distribution(tensor, usesOf(graph, name)[0]);
    const values = uniform(count, { center, spread, seed: random.fork(name).below(2 ** 32) });
    constants.set(name, fromNumbers(tensor.dtype, tensor.shape, values));
  }
  return { ...graph, constants };
}

interface Distribution {
  readonly center: number;
  readonly spread: number;
}

function distribution({ shape }: Tensor, use: Use | undefined): Distribution {
  const he = (fanIn: number): Distribution => ({ center: 0, spread: Math.sqrt(6 / Math.max(fanIn, 1)) });
  const scale = { center: 1, spread: 0.2 };
  const shift = { center: 0, spread: 0.1 };
  if (!use) return shift;
  const { node, slot } = use;
  switch (node.op) {
    case 'BatchNormalization':
      return slot === 1 ? scale : slot === 4 ? { center: 1, spread: 0.5 } : shift;
    case 'LayerNormalization':
    case 'InstanceNormalization':
    case 'GroupNormalization':
      return slot === 1 ? scale : shift;
    case 'Conv':
      return slot === 1 ? he(sizeOf(shape.slice(1))) : shift;
    case 'ConvTranspose':
      return slot === 1 ? he(shape[0]! * sizeOf(shape.slice(2))) : shift;
    case 'Gemm':
      return slot === 1 ? he(transposed(node) ? shape[1]! : shape[0]!) : shift;
    case 'MatMul':
      return he(slot === 1 ? (shape.at(-2) ?? shape[0]!) : shape.at(-1)!);
    case 'Mul':
      return scale;
    default:
      return shift;
  }
}

const transposed = (node: Node): boolean => {
  const attribute = node.attributes.get('transB');
  return attribute?.kind === 'int' && attribute.value === 1;
};

// xorshift32 (Marsaglia 2003), inline: the largest network has 143 million weights.
function uniform(count: number, { center, spread, seed }: Distribution & { readonly seed: number }): Float32Array {
  const out = new Float32Array(count);
  const step = spread / 2 ** 31;
  let word = seed | 1;
  for (let i = 0; i < count; i++) {
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    out[i] = center + word * step;
  }
  return out;
}
