import { type DType, type Graph, sizeOf, type Tensor, tensorInfo } from '@espalier/core';
import { encodeOnnx } from '@espalier/onnx';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';

const wide = new Set<DType>(['int64', 'uint64']);

/** Runs a graph in onnxruntime without any graph rewriting of its own, straight from bytes: the oracle of pass tests. */
export async function runOnnx(graph: Graph, feeds: ReadonlyMap<string, Tensor>): Promise<ReadonlyMap<string, Tensor>> {
  const session = await InferenceSession.create(Buffer.concat(encodeOnnx(graph)), {
    graphOptimizationLevel: 'disabled',
    logSeverityLevel: 4,
    intraOpNumThreads: 1,
  });
  try {
    const given = Object.fromEntries(
      [...feeds].map(([name, { dtype, data, shape }]) => [name, toOrt(dtype, data, shape)]),
    );
    const results = await session.run(given);
    return new Map(Object.entries(results).map(([name, result]) => [name, fromOrt(result)]));
  } finally {
    await session.release();
  }
}

const toOrt = (dtype: DType, data: Tensor['data'], shape: readonly number[]): OrtTensor =>
  new OrtTensor(dtype as 'float32', data as Float32Array, [...shape]); // the names of both libraries agree

const fromOrt = ({ type, data, dims }: OrtTensor): Tensor => ({ dtype: type, data, shape: dims }) as unknown as Tensor; // likewise

/** Seeded inputs for a graph: named sizes become `sizes[name] ?? 2`, floats are uniform in [-1, 1], integers 0 or 1. */
export function randomFeeds(
  graph: Graph,
  { seed = 1, sizes = {} }: { readonly seed?: number; readonly sizes?: Readonly<Record<string, number>> } = {},
): ReadonlyMap<string, Tensor> {
  let word = seed | 1;
  const next = () => {
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    return word / 2 ** 31;
  };
  return new Map(
    graph.inputs.map((name): [string, Tensor] => {
      const info = tensorInfo(graph, name);
      if (!info?.shape) throw new Error(`input ${name} has no known rank`);
      const shape = info.shape.map((dim) => (typeof dim === 'number' ? dim : (sizes[dim] ?? 2)));
      const values = Array.from({ length: sizeOf(shape) }, next);
      if (info.dtype === 'float32') return [name, { dtype: 'float32', shape, data: Float32Array.from(values) }];
      const bits = values.map((each) => (each > 0 ? 1 : 0));
      const data = wide.has(info.dtype)
        ? BigInt64Array.from(bits, BigInt)
        : info.dtype === 'bool'
          ? Uint8Array.from(bits)
          : Int32Array.from(bits);
      return [name, { dtype: info.dtype, shape, data } as Tensor]; // int64, bool or int32: what models take
    }),
  );
}

/** Largest difference between two results of a run, relative to the largest magnitude of each output (at least 1e-6). */
export function largestDifference(expected: ReadonlyMap<string, Tensor>, actual: ReadonlyMap<string, Tensor>): number {
  let worst = 0;
  for (const [name, { data, shape }] of expected) {
    const other = actual.get(name);
    if (!other || other.shape.join() !== shape.join()) return Number.POSITIVE_INFINITY;
    let scale = 1e-6;
    let difference = 0;
    for (let i = 0; i < data.length; i++) {
      const [x, y] = [Number(data[i]), Number(other.data[i])];
      if (Number.isFinite(x)) scale = Math.max(scale, Math.abs(x));
      if (Object.is(x, y) || x === y) continue;
      difference = Math.max(difference, Number.isNaN(x - y) ? Number.POSITIVE_INFINITY : Math.abs(x - y));
    }
    worst = Math.max(worst, difference / scale);
  }
  return worst;
}
