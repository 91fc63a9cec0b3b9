import { type Axis, type AxisPort, intsOf } from '@espalier/core';
import { type Product, type ProductRule, type ProductSite, product, rows } from '../product.js';

/** The axis of the keys of a value: [batch, keys, width], or with heads second or third. */
const keysOf = (port: AxisPort | undefined): Axis | undefined => port?.axes[port.axes.length === 4 ? 2 : 1];

/**
 * The keys that every query meets: with a cache those of the present one, without it those of the input, which packs
 * keys with queries where it stands alone.
 */
function keys({ node, inputs: [q, k], outputs }: ProductSite): Axis | undefined {
  if (node.outputs[1] !== undefined) return outputs[1]?.axes[2]; // [batch, heads, keys, size]
  return node.inputs[1] === undefined ? keysOf(q) : keysOf(k);
}

/**
 * Scores and their product with the values: every element of the queries and every element of the result once for
 * every key. Heads may have an axis of their own, or share the last one.
 */
const attention: ProductRule = {
  operands: [0, 1],
  products: (site) => {
    const [q, y] = [site.inputs[0], site.outputs[0]];
    const met = keys(site);
    if (!q || !y || !met) return undefined;
    // Queries that are packed with keys and values are as large as the result.
    const packed = site.node.inputs[2] === undefined && site.node.inputs[1] === undefined;
    return packed ? [{ factor: 2, axes: [...y.axes, met] }] : [product(...q.axes, met), product(...y.axes, met)];
  },
};

/** Projection and attention in one: X [B, S, D] times W [D, q + k + v], a cache [2, B, heads, past, size]. */
const projected = (past: number): ProductRule => ({
  operands: [0, 1],
  products: ({ node, inputs, outputs: [y] }): readonly Product[] | undefined => {
    const [x, w] = inputs;
    const before = inputs[past]?.axes[3];
    if (!x || !w || !y || (node.inputs[past] !== undefined && !before)) return undefined;
    const [query = 1, , value = 1] = intsOf(node, 'qkv_hidden_sizes', []);
    const met = [x.axes[1]!, ...(before ? [before] : [])];
    const factor = 1 + query / value; // the result is as wide as the values
    return [product(...rows(x), ...w.axes), ...met.map((axis) => ({ factor, axes: [...y.axes, axis] }))];
  },
});

/** Attention that is one node. */
export const attentionProducts = {
  Attention: attention,
  'com.microsoft::Attention': projected(4),
  'com.microsoft::GroupQueryAttention': attention,
  'com.microsoft::MultiHeadAttention': attention,
  'com.microsoft::QAttention': projected(8),
} as const satisfies Record<string, ProductRule>;
