import {
  type Axis,
  type AxisPort,
  type AxisRule,
  type AxisSite,
  type Edit,
  float,
  floatOf,
  int,
  intOf,
  ints,
  intsOf,
  type Kept,
} from '@espalier/core';
import { type HeadPart, headsAlong, pinOthers, relateHeads } from './heads.js';

const elsewhere = 'attention looks at all of it, or it numbers sequences';

/** The sizes of queries, keys and values in the columns of a fused projection. */
function fusedSizes({ node }: AxisSite, width: number): readonly [number, number, number] {
  const [q, k, v] = intsOf(node, 'qkv_hidden_sizes', []);
  return q && k && v ? [q, k, v] : [width / 3, width / 3, width / 3];
}

const partsOf = (port: AxisPort | undefined, axis: number, sizes: readonly number[]): readonly HeadPart[] => {
  const of = port?.axes[axis];
  if (!of) return [];
  let from = 0;
  return sizes.map((count) => {
    const part = { axis: of, from, count };
    from += count;
    return part;
  });
};

/** A mask or bias of scores [batch or 1, heads or 1, queries, keys] has heads where it has as many. */
const scoresAlong = (port: AxisPort | undefined, heads: number): readonly HeadPart[] =>
  port && port.axes.length >= 3 && port.axes.at(-3)!.size === heads && heads > 1 ? [{ axis: port.axes.at(-3)! }] : [];

/** Joins heads, and pins whatever is neither a head nor told to be related otherwise. */
function settle(
  site: AxisSite,
  units: number,
  { heads, free = [] }: { readonly heads: readonly HeadPart[]; readonly free?: readonly (Axis | undefined)[] },
): void {
  relateHeads(site, units, heads);
  for (const { axis } of heads) site.mark(axis, 'products');
  const but = new Set([...heads.map(({ axis }) => axis), ...free.filter((axis) => axis !== undefined)]);
  pinOthers(site, [...site.inputs, ...site.outputs], { but, reason: elsewhere });
}

/** The number of heads that stay, from an axis that counts heads or their channels. */
const headsLeft = (kept: Kept, axis: Axis | undefined, heads: number): number =>
  axis ? (heads * kept.count(axis)) / axis.size : heads;

/** One matrix [input, q + k + v] for all projections; a cache [2, batch, heads, length, size]. */
const packed: AxisRule = {
  relate(site) {
    const [x, w, b, , past, bias] = site.inputs;
    const [y, present] = site.outputs;
    if (!x || !w || !y) return site.pinAll('its shapes are not known');
    const heads = intOf(site.node, 'num_heads', 1);
    const sizes = fusedSizes(site, w.shape[1]!);
    site.same(x.axes[2]!, w.axes[0]!);
    site.role(w, 0, 'sums');
    settle(site, heads, {
      heads: [
        ...headsAlong(y, 2),
        ...partsOf(w, 1, sizes),
        ...partsOf(b, 0, sizes),
        ...[past, present].flatMap((cache) => headsAlong(cache, 2)),
        ...scoresAlong(bias, heads),
      ],
      free: [x.axes[2], w.axes[0]],
    });
  },
  rewrite(site, kept) {
    const y = site.outputs[0]!.axes[2]!; // related before
    if (kept.count(y) === y.size) return undefined;
    const left = (count: number) => headsLeft(kept, y, count);
    const sizes = intsOf(site.node, 'qkv_hidden_sizes', []);
    return {
      attributes: {
        num_heads: int(left(intOf(site.node, 'num_heads', 1))),
        // Without them the runtime takes the width of the input for that of the heads.
        qkv_hidden_sizes: ints((sizes.length === 3 ? sizes : fusedSizes(site, site.inputs[1]!.shape[1]!)).map(left)),
      },
    };
  },
};

/** Separate queries, keys and values: [B, S, heads·size], [B, heads, L, size], or packed [B, S, heads, 2 or 3, size]. */
const multiHead: AxisRule = {
  relate(site) {
    const [q, k, v, bias, , scores, ...rest] = site.inputs;
    const [y, presentKey, presentValue, products] = site.outputs;
    if (!q || !y) return site.pinAll('its shapes are not known');
    const heads = intOf(site.node, 'num_heads', 1);
    const along = (port: AxisPort | undefined) => headsAlong(port, port?.axes.length === 4 ? 1 : 2);
    const width = bias ? (bias.shape[0]! - y.shape[2]!) / 2 : 0;
    settle(site, heads, {
      heads: [
        ...headsAlong(y, 2),
        ...[q, k, v].flatMap(along),
        ...partsOf(bias, 0, [width, width, y.shape[2]!]),
        ...scoresAlong(scores, heads),
        ...[rest[0], rest[1], presentKey, presentValue, products].flatMap((cache) => headsAlong(cache, 1)),
      ],
    });
  },
  rewrite: (site, kept) => ({
    attributes: { num_heads: int(headsLeft(kept, site.outputs[0]!.axes[2], intOf(site.node, 'num_heads', 1))) },
  }),
};

/** A unit is one head of keys and values with the queries that share it. */
const groupQuery: AxisRule = {
  relate(site) {
    const [q, k, v, pastKey, pastValue, , , , , , scores, sink] = site.inputs;
    const [y, presentKey, presentValue, products] = site.outputs;
    if (!q || !y) return site.pinAll('its shapes are not known');
    const heads = intOf(site.node, 'num_heads', 1);
    const shared = intOf(site.node, 'kv_num_heads', heads);
    const size = y.shape[2]! / heads;
    const sizes = k ? [q.shape[2]!] : [heads * size, shared * size, shared * size];
    settle(site, shared, {
      heads: [
        ...headsAlong(y, 2),
        ...partsOf(q, 2, sizes),
        ...[k, v].flatMap((port) => headsAlong(port, 2)),
        ...[pastKey, pastValue, presentKey, presentValue, products].flatMap((cache) => headsAlong(cache, 1)),
        ...scoresAlong(scores, heads),
        ...headsAlong(sink, 0),
      ],
    });
  },
  rewrite(site, kept) {
    const heads = intOf(site.node, 'num_heads', 1);
    const left = (count: number) => int(headsLeft(kept, site.outputs[0]!.axes[2], count));
    return {
      attributes: { num_heads: left(heads), kv_num_heads: left(intOf(site.node, 'kv_num_heads', heads)) },
    };
  },
};

interface StandardParts {
  readonly q: AxisPort;
  readonly k: AxisPort;
  readonly v: AxisPort;
  readonly y: AxisPort;
  /** Whether heads have an axis of their own. */
  readonly apart: boolean;
  readonly heads: number;
  readonly shared: number;
}

function standardParts({ node, inputs, outputs }: AxisSite): StandardParts | undefined {
  const [q, k, v] = inputs;
  const y = outputs[0];
  if (!q || !k || !v || !y) return undefined;
  const apart = q.axes.length === 4;
  const heads = apart ? q.shape[1]! : intOf(node, 'q_num_heads', 1);
  return { q, k, v, y, apart, heads, shared: apart ? k.shape[1]! : intOf(node, 'kv_num_heads', heads) };
}

/**
 * ONNX Attention: [B, S, heads·size], or [B, heads, S, size], where places within heads can be cut as well: queries
 * and keys lose the same ones, and so do values and the result.
 */
const standard: AxisRule = {
  relate(site) {
    const parts = standardParts(site);
    if (!parts) return site.pinAll('its shapes are not known');
    const { q, k, v, y, apart, heads, shared } = parts;
    const [, , , mask, pastKey, pastValue] = site.inputs;
    const [, presentKey, presentValue, products] = site.outputs;
    const along = apart ? 1 : 2;
    const free: (Axis | undefined)[] = [];
    if (apart) {
      for (const [own, others] of [
        [k, [q, pastKey, presentKey]],
        [v, [y, pastValue, presentValue]],
      ] as const) {
        free.push(own.axes[3]);
        for (const other of others) {
          if (!other) continue;
          site.same(other.axes[3]!, own.axes[3]!);
          free.push(other.axes[3]);
        }
      }
      site.role(q, 3, 'sums');
      site.role(k, 3, 'sums');
    }
    settle(site, shared, {
      heads: [
        ...headsAlong(y, along),
        ...[q, k, v].flatMap((port) => headsAlong(port, along)),
        ...[pastKey, pastValue, presentKey, presentValue, products].flatMap((cache) => headsAlong(cache, 1)),
        ...scoresAlong(mask, heads),
      ],
      free,
    });
  },
  rewrite(site, kept): Edit | undefined {
    const { node } = site;
    const { q, k, apart, heads, shared } = standardParts(site)!; // related before
    if (apart) {
      const size = q.axes[3]!;
      // 1/√size unless it is written: what is left keeps the scale of the whole.
      if (kept.count(size) === size.size || floatOf(node, 'scale', 0) !== 0) return undefined;
      return { attributes: { scale: float(1 / Math.sqrt(size.size)) } };
    }
    return {
      attributes: {
        q_num_heads: int(headsLeft(kept, q.axes[2], heads)),
        kv_num_heads: int(headsLeft(kept, k.axes[2], shared)),
      },
    };
  },
};

/** Turns pairs of places within each head by angles of the position: whole heads can go. */
const rotary = (heads: string, cosines: number): AxisRule => ({
  relate(site) {
    const [x] = site.inputs;
    const [y] = site.outputs;
    if (!x || !y) return site.pinAll('its shapes are not known');
    const apart = x.axes.length === 4;
    const count = headCount(site, x, { heads, cosines });
    const free = [0, 1, 2, 3].flatMap((i) => (i === (apart ? 1 : 2) ? [] : [x.axes[i], y.axes[i]]));
    x.axes.forEach((axis, i) => {
      site.same(axis, y.axes[i]!);
      if (apart && i === 3) site.pin(axis, 'its places are turned in pairs');
    });
    settle(site, count, { heads: [x, y].flatMap((port) => headsAlong(port, apart ? 1 : 2)), free });
  },
  rewrite(site, kept) {
    const count = intOf(site.node, heads, 0);
    const x = site.inputs[0]!; // related before
    if (count === 0) return undefined;
    return { attributes: { [heads]: int(headsLeft(kept, x.axes[x.axes.length === 4 ? 1 : 2], count)) } };
  },
});

/** As written, or as the table of cosines has two places of a head in each column. */
function headCount(
  site: AxisSite,
  x: AxisPort,
  { heads, cosines }: { readonly heads: string; readonly cosines: number },
): number {
  if (x.axes.length === 4) return x.shape[1]!;
  const written = intOf(site.node, heads, 0);
  const columns = site.inputs[cosines]?.shape.at(-1);
  return written || (columns ? x.shape[2]! / (2 * columns) : 0);
}

/** Attention that is one node, and what turns its queries and keys. */
export const attentionRules = {
  Attention: standard,
  RotaryEmbedding: rotary('num_heads', 1),
  'com.microsoft::Attention': packed,
  'com.microsoft::GroupQueryAttention': groupQuery,
  'com.microsoft::MultiHeadAttention': multiHead,
  'com.microsoft::RotaryEmbedding': rotary('num_heads', 2),
} as const satisfies Record<string, AxisRule>;
