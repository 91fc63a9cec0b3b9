import { type Collector, type Gram, toFloats, toNumbers } from '@espalier/core';
import { notFinite } from './errors.js';
import { rowsOfLayer } from './layer-rows.js';

/**
 * XᵀX of the rows that a layer multiplies by its weight, as GPTQ and its relatives need it (Frantar et al. 2022,
 * arXiv 2210.17323). For a convolution, a row holds the inputs under one position of the kernel, in the order of the
 * flattened weight [channels in / groups, kernel...]. Products are float32 within a batch, float64 across batches.
 */
export const collectGram: Collector<'gram'> = {
  values: (need, graph) => [rowsOfLayer(need, graph).data],
  opset: 13,
  probe(need, statistics) {
    const layer = rowsOfLayer(need, statistics.model);
    const { products, rows } = statistics.once(`gram ${need.node}`, () => layer.build(statistics));
    const size = { rows: 0, columns: 0 };
    let sum: Float64Array | undefined;
    return {
      fetch: [products, rows],
      add([found, count]) {
        const all = toFloats(found!); // [groups, columns, columns]
        size.columns = found!.shape.at(-1)!;
        const length = size.columns ** 2;
        const part = all.subarray(layer.group * length, (layer.group + 1) * length);
        sum ??= new Float64Array(length);
        let check = 0;
        for (let i = 0; i < length; i++) check += sum[i]! += part[i]!;
        if (!Number.isFinite(check))
          throw notFinite(statistics.model, layer.data, 'NaN, infinity or squares beyond float32');
        size.rows += toNumbers(count!)[0]!;
      },
      answer: (): Gram => ({ sum: sum ?? new Float64Array(), size: size.columns, rows: size.rows }),
    };
  },
};
