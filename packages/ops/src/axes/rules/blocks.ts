import { type AxisPort, type AxisRule, type AxisSite, int, intOf, type Kept } from '@espalier/core';
import { sameEach } from './same-each.js';

const blockOf = (site: AxisSite): number => intOf(site.node, 'block_size', 32);

/**
 * [..., K] times K x N weights in blocks along K: codes [N, blocks, bytes], scales and zero points [N, blocks], the
 * latter packed into bytes. Columns can go one by one; of K only whole blocks, and as many together as share a byte of
 * zero points. Flat lists of scales fix K.
 */
const matMulNBits: AxisRule = {
  relate(site) {
    const [x, w, scales, zeros, order, bias] = site.inputs;
    const y = site.outputs[0];
    if (!x || !w || !scales || !y) return site.pinAll('its shapes are not known');
    const [last, columns, blocks] = [x.axes.at(-1)!, y.axes.at(-1)!, w.axes[1]!];
    sameEach(site, x.axes.slice(0, -1), y.axes);
    site.same(w.axes[0]!, columns);
    if (bias) site.same(bias.axes.at(-1)!, columns);
    w.axes.forEach((_, axis) => {
      site.role(w, axis, (['keeps', 'sums'] as const)[axis] ?? 'inner');
    });
    for (const axis of w.axes.slice(2)) site.pin(axis, 'it holds the codes of a block');
    const size = blockOf(site);
    site.tie(last, (i) => Math.floor(i / size));
    site.map(blocks, last, (i) => i * size);
    alongBlocks(site, scales, { columns, blocks, per: 1 });
    if (zeros) {
      const per = zeros.constant?.dtype === 'uint8' ? 8 / intOf(site.node, 'bits', 4) : 1;
      alongBlocks(site, zeros, { columns, blocks, per });
      for (const axis of zeros.axes.keys()) site.role(zeros, axis, 'keeps');
    }
    if (order) for (const axis of [last, ...order.axes]) site.pin(axis, 'its rows are stored in another order');
  },
  rewrite: (site: AxisSite, kept: Kept) => ({
    attributes: {
      K: int(kept.count(site.inputs[0]!.axes.at(-1)!)), // related before
      N: int(kept.count(site.outputs[0]!.axes.at(-1)!)),
    },
  }),
};

/** One number per column and block, `per` of them in each element; masked scales make columns of zeros. */
function alongBlocks(
  site: AxisSite,
  port: AxisPort,
  {
    columns,
    blocks,
    per,
  }: { readonly columns: AxisPort['axes'][number]; readonly blocks: AxisPort['axes'][number]; readonly per: number },
): void {
  const [first, second] = port.axes;
  if (first && second) {
    site.same(first, columns);
    site.map(blocks, second, (i) => Math.floor(i / per));
    site.role(port, 1, 'sums');
    return;
  }
  const each = first!.size / columns.size;
  site.map(first!, columns, (i) => Math.floor(i / each));
  if (blocks.size > 1) site.pin(blocks, 'its scales are one flat list');
}

/** Matrices stored in blocks of few bits. */
export const blockRules = {
  'com.microsoft::MatMulNBits': matMulNBits,
} as const satisfies Record<string, AxisRule>;
