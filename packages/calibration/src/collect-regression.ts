import { type Collector, type Regression, type Tensor, toFloats, toNumbers } from '@espalier/core';
import { impossibleNeed, notFinite } from './errors.js';
import { rowsOfLayer, type Sums } from './layer-rows.js';

/**
 * The sums for a least-squares fit of a layer's output to another value Y of the same run: XᵀX as for `gram`, YᵀX, and
 * the sums of the columns of both. Products are float32 within a batch, float64 across batches.
 */
export const collectRegression: Collector<'regression'> = {
  values: (need, graph) => [rowsOfLayer(need, graph).data, need.target],
  opset: 13,
  probe(need, statistics) {
    const layer = rowsOfLayer(need, statistics.model);
    const built = statistics.once(`regression ${need.node} ${need.target}`, () =>
      layer.build(statistics, need.target),
    ) as Required<Sums>; // built with a target
    const { cross, inputs, outputs, squares } = built.target;
    const sums = [built.products, cross, inputs, outputs, squares];
    const added: Float64Array[] = [];
    const size = { rows: 0, columns: 0 };
    return {
      fetch: [...sums, built.rows],
      add(found) {
        sums.forEach((_, i) => {
          const part = ofGroup(found[i]!, layer.group);
          added[i] ??= new Float64Array(part.length);
          const sum = added[i];
          if (sum.length !== part.length) {
            throw impossibleNeed(need, { expected: `${sum.length} numbers`, found: String(part.length) });
          }
          let check = 0;
          for (let j = 0; j < part.length; j++) check += sum[j]! += part[j]!;
          if (!Number.isFinite(check)) {
            throw notFinite(statistics.model, layer.data, 'NaN, infinity or squares beyond float32');
          }
        });
        size.columns = found[0]!.shape.at(-1)!;
        size.rows += toNumbers(found[5]!)[0]!;
      },
      answer(): Regression {
        const [sum, ...rest] = sums.map((_, i) => added[i] ?? new Float64Array());
        const [cross, inputs, outputs, squares] = rest as [Float64Array, Float64Array, Float64Array, Float64Array]; // as fetched
        return { sum: sum!, cross, inputs, outputs, squares, size: size.columns, rows: size.rows };
      },
    };
  },
};

/** The part of a sum by groups that belongs to one of them. */
function ofGroup(found: Tensor, group: number): Float32Array {
  const all = toFloats(found);
  const length = all.length / found.shape[0]!;
  return all.subarray(group * length, (group + 1) * length);
}
