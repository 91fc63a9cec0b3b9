import { floats, type Tensor, toFloats } from '@espalier/core';

type Tensors = ReadonlyMap<string, Tensor>;

/**
 * H v from two gradients: (∇L(w + εv) - ∇L(w - εv)) / 2ε with ε = 1e-3 ‖w‖/‖v‖ (1e-3/‖v‖ where w is zero), for networks
 * with ops that cannot be differentiated twice. `gradientAt` runs the network at other weights on the same batch. The
 * relative error in float32 is about 1e-3. For the zero vector the result is zero.
 */
export async function hessianVectorDifference(
  gradientAt: (weights: Tensors) => Promise<Tensors>,
  weights: Tensors,
  vectors: Tensors,
): Promise<Tensors> {
  const length = norm(vectors);
  const step = length === 0 ? 1 : (1e-3 * (norm(weights) || 1)) / length;
  const moved = (by: number): Tensors =>
    new Map([...weights].map(([name, tensor]) => [name, plus(tensor, vectors.get(name), by)]));
  const ahead = await gradientAt(moved(step));
  const behind = await gradientAt(moved(-step));
  return new Map(
    [...vectors.keys()].map((name) => {
      const [a, b] = [toFloats(ahead.get(name)!), toFloats(behind.get(name)!)]; // gradientAt answers for each weight
      const difference = new Float32Array(a.length);
      for (let i = 0; i < a.length; i++) difference[i] = (a[i]! - b[i]!) / (2 * step);
      return [name, floats(difference, vectors.get(name)!.shape)];
    }),
  );
}

function plus(tensor: Tensor, vector: Tensor | undefined, by: number): Tensor {
  if (!vector) return tensor;
  const [w, v] = [toFloats(tensor), toFloats(vector)];
  const sum = new Float32Array(w.length);
  for (let i = 0; i < w.length; i++) sum[i] = w[i]! + by * v[i]!;
  return floats(sum, tensor.shape);
}

function norm(tensors: Tensors): number {
  let sum = 0;
  for (const tensor of tensors.values()) for (const value of toFloats(tensor)) sum += value * value;
  return Math.sqrt(sum);
}
