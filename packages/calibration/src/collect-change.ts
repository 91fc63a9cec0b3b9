import { type Change, type Collector, tensorInfo, toFloats, toNumbers } from '@espalier/core';
import { checkedAxis } from './channels.js';
import { notFinite } from './errors.js';

/**
 * The distance of one value from another: the mean cosine of the vectors along an axis (channels, features), and
 * |after - before|² / |before|² over all of both. Vectors of zeros count with a cosine of 1 where both are, else 0.
 */
export const collectChange: Collector<'change'> = {
  values: ({ before, after }) => [before, after],
  opset: 13,
  probe(need, statistics) {
    const { builder, once, reduce, model, scalar } = statistics;
    const axis = checkedAxis(need, model, tensorInfo(model, need.before)?.shape?.length);
    const [x, y] = [statistics.around(need.before, axis), statistics.around(need.after, axis)];
    const squares = (value: string) => once(`squares ${value}`, () => reduce('ReduceSumSquare', value, { axes: [1] }));
    const products = reduce('ReduceSum', builder.add('Mul', [x, y]), { axes: [1] });
    const lengths = builder.add('Sqrt', [builder.add('Mul', [squares(x), squares(y)])]);
    const tiny = scalar(1e-30);
    const cosines = builder.add('Div', [products, builder.add('Max', [lengths, tiny])]);
    const both = builder.add('Add', [squares(x), squares(y)]);
    const none = builder.add('Cast', [builder.add('LessOrEqual', [both, tiny])], {
      attributes: { to: { kind: 'int', value: 1 } },
    });
    const fetch = [
      reduce('ReduceSum', builder.add('Add', [cosines, none])),
      reduce('ReduceSumSquare', builder.add('Sub', [y, x])),
      reduce('ReduceSum', squares(x)),
      builder.add('Size', [cosines]),
    ];
    const sums = [0, 0, 0, 0];
    return {
      fetch,
      add(found) {
        for (const [i, tensor] of found.entries()) sums[i]! += i === 3 ? toNumbers(tensor)[0]! : toFloats(tensor)[0]!;
        if (!sums.every(Number.isFinite)) throw notFinite(model, need.after, 'NaN or infinity');
      },
      answer(): Change {
        const [cosines, difference, before, vectors] = sums as [number, number, number, number]; // one per fetch
        return {
          cosine: vectors > 0 ? cosines / vectors : 1,
          relative: before > 0 ? difference / before : difference > 0 ? Number.MAX_VALUE : 0,
        };
      },
    };
  },
};
