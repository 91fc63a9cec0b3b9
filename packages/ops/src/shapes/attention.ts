import { type Dim, intOf, intsOf, type ValueInfo } from '@espalier/core';
import type { OpName } from '../op-names.js';
import { addDims, floorDivDims, maxDims, mulDims } from './dim.js';
import { like } from './elementwise.js';
import { type ShapeRule, type Site, shapeOfRank, typeOf } from './site.js';

/** A cache: [batch, heads, length, size of a head]. */
type Cache = readonly [Dim, Dim, Dim, Dim];

/** Heads apart [B, heads, L, size], from either that form or [B, L, heads·size]. */
function apart(site: Site, slot: number, heads: number): Cache | undefined {
  const shape = shapeOfRank(site, slot, 3, 4);
  if (shape?.length === 4) return [shape[0]!, shape[1]!, shape[2]!, shape[3]!];
  if (!shape) return undefined;
  if (heads < 1)
    throw site.fail({ expected: 'attributes "q_num_heads" and "kv_num_heads" for inputs of rank 3', found: 'none' });
  return [shape[0]!, heads, shape[1]!, floorDivDims(shape[2]!, heads)];
}

const grown = (cache: Cache, past: readonly Dim[] | undefined): Cache =>
  past?.length === 4 ? [cache[0], cache[1], addDims(past[2]!, cache[2]), cache[3]] : cache;

/** ONNX Attention (opset 23): result in the form of the query, the grown caches, and the scores. */
const attention: ShapeRule = (site) => {
  const dtype = site.dtype(0);
  const query = apart(site, 0, intOf(site.node, 'q_num_heads', 0));
  const key = apart(site, 1, intOf(site.node, 'kv_num_heads', 0));
  const value = apart(site, 2, intOf(site.node, 'kv_num_heads', 0));
  if (!query || !key || !value) return [typeOf(dtype)];
  const [batch, heads, length] = query;
  const flat = site.shape(0)!.length === 3; // known, or `query` would not be
  const out = flat ? [batch, length, mulDims(heads, value[3])] : [batch, heads, length, value[3]];
  const presentKey = grown(key, site.shape(4));
  const cached = [typeOf(site.dtype(1), presentKey), typeOf(site.dtype(2), grown(value, site.shape(5)))];
  return [typeOf(dtype, out), ...cached, typeOf(dtype, [batch, heads, length, presentKey[2]])];
};

/** [B, S, input] by one matrix for query, key and value; a stacked cache [2, B, heads, P, size]. */
const packedAttention =
  (pastSlot: number, dtypeSlot: number): ShapeRule =>
  (site) => {
    const dtype = site.dtype(dtypeSlot);
    const input = shapeOfRank(site, 0, 3, 3);
    const weight = site.shape(1);
    const sizes = intsOf(site.node, 'qkv_hidden_sizes', undefined);
    const hidden = sizes?.[2] ?? (weight?.[1] === undefined ? undefined : floorDivDims(weight[1], 3));
    if (!input) return [typeOf(dtype), typeOf(dtype)];
    const [batch, length] = [input[0]!, input[1]!];
    const heads = intOf(site.node, 'num_heads', 1);
    const past = site.shape(pastSlot);
    const shared = intOf(site.node, 'past_present_share_buffer', 0) === 1;
    const total = past ? (shared ? past[3]! : addDims(past[3]!, length)) : length;
    const size = past?.[4] ?? (hidden === undefined ? site.fresh(4, 1) : floorDivDims(hidden, heads));
    return [typeOf(dtype, [batch, length, hidden ?? site.fresh(2)]), typeOf(dtype, [2, batch, heads, total, size])];
  };

/** Size of the heads taken together, and length, of the values of a MultiHeadAttention. */
function valuesOf(site: Site, heads: number): readonly [Dim, Dim] | undefined {
  const [query, key, value] = [site.shape(0), site.shape(1), site.shape(2)];
  if (query?.length === 5) return [mulDims(heads, query[4]!), query[1]!]; // [B, S, heads, 3, size]
  if (key?.length === 5) return [mulDims(heads, key[4]!), key[1]!]; // [B, L, heads, 2, size]
  if (value?.length === 4) return [mulDims(heads, value[3]!), value[2]!];
  return value?.length === 3 ? [value[2]!, value[1]!] : undefined;
}

const multiHeadAttention: ShapeRule = (site) => {
  const dtype = site.dtype(0);
  const query = shapeOfRank(site, 0, 3, 5);
  const heads = intOf(site.node, 'num_heads', 1);
  const values = valuesOf(site, heads);
  if (!query || !values) return [typeOf(dtype), typeOf(dtype), typeOf(dtype)];
  const [hidden, length] = values;
  const cache = (past: readonly Dim[] | undefined, size: Dim): ValueInfo | undefined => {
    const shared = past !== undefined && site.node.inputs[8] !== undefined; // the length is an input, so the buffer is kept
    return typeOf(dtype, shared ? past : grown([query[0]!, heads, length, size], past));
  };
  const keySize = query.length === 3 ? floorDivDims(query[2]!, heads) : query[4]!;
  return [
    typeOf(dtype, [query[0]!, query[1]!, hidden]),
    cache(site.shape(6), keySize),
    cache(site.shape(7), floorDivDims(hidden, heads)),
  ];
};

/** Without keys, the query holds all three: heads + 2·(key heads) of one size. */
const groupQueryAttention: ShapeRule = (site) => {
  const dtype = site.dtype(0);
  const query = shapeOfRank(site, 0, 3, 3);
  if (!query) return [typeOf(dtype), typeOf(site.dtype(3)), typeOf(site.dtype(4))];
  const heads = intOf(site.node, 'num_heads', 1);
  const keyHeads = intOf(site.node, 'kv_num_heads', heads);
  const packed = site.node.inputs[1] === undefined;
  const size = floorDivDims(query[2]!, packed ? heads + 2 * keyHeads : heads);
  const total = site.elements(6)?.items[0];
  const past = site.shape(3);
  const length = past && total !== undefined ? maxDims(past[2]!, total) : (total ?? (past ? undefined : query[1]!));
  const cache = (slot: number) =>
    typeOf(site.dtype(slot + 2) ?? dtype, [query[0]!, keyHeads, length ?? site.fresh(2, slot), size]);
  return [typeOf(dtype, [query[0]!, query[1]!, mulDims(size, heads)]), cache(1), cache(2)];
};

/** Embeddings of tokens, positions and segments, summed and normalized; how many tokens count; the sum. */
const embedLayerNormalization: ShapeRule = (site) => {
  const ids = shapeOfRank(site, 0, 2, 2);
  const width = site.shape(2)?.[1];
  const shape = ids && [...ids, width ?? site.fresh(2)];
  return [typeOf(site.dtype(2), shape), typeOf('int32', ids && [ids[0]!]), typeOf(site.dtype(2), shape)];
};

/** A table of offsets by head: [1, heads, query length, key length]. */
const relativePositionBias: ShapeRule = (site) => {
  const heads = site.shape(0)?.[1] ?? site.fresh(1);
  const [query, key] = [1, 2].map((slot) => site.elements(slot)?.items[0] ?? site.fresh(slot + 1));
  return [typeOf(site.dtype(0), [1, heads, query!, key!])];
};

const same = like();

/** Attention and what belongs to it. */
export const attentionRules = {
  Attention: attention,
  RotaryEmbedding: same,
  'com.microsoft::Attention': packedAttention(4, 0),
  'com.microsoft::EmbedLayerNormalization': embedLayerNormalization,
  'com.microsoft::GroupQueryAttention': groupQueryAttention,
  'com.microsoft::MultiHeadAttention': multiHeadAttention,
  'com.microsoft::QAttention': packedAttention(8, 3),
  'com.microsoft::RelativePositionBias': relativePositionBias,
  'com.microsoft::RotaryEmbedding': same,
} as const satisfies Partial<Record<OpName, ShapeRule>>;
