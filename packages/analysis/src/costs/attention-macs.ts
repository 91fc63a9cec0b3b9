import { intOf, intsOf } from '@espalier/core';
import type { MacRule } from './mac-rule.js';

/**
 * Projection and attention in one: X [B, S, D] · W [D, q+k+v], then scores and their product with the values over
 * T = S + past positions: MACs = B·S·D·(q+k+v) + B·S·T·(q + v).
 */
const projected = (past: number): MacRule => ({
  operands: [0, 1],
  macs: ({ node, input }) => {
    const [batch, steps, depth] = input(0) ?? [];
    const width = input(1)?.[1];
    if (batch === undefined || steps === undefined || depth === undefined || width === undefined) return undefined;
    const [query = width / 3, , value = width / 3] = intsOf(node, 'qkv_hidden_sizes', []);
    let total = steps;
    if (node.inputs[past] !== undefined) {
      const before = input(past)?.[3]; // [2, B, heads, past, size]
      if (before === undefined) return undefined;
      total += before;
    }
    return batch * steps * depth * width + batch * steps * total * (query + value);
  },
});

/**
 * Scores QKᵀ and their product with V. Heads may be an axis of their own ([B, heads, S, size]) or part of the last
 * one ([B, S, heads·size]): MACs = B·S·T·heads·(size of a key + size of a value), T being the keys attended to.
 */
const attention = (headNames: { readonly query: string; readonly keys: string }): MacRule => ({
  operands: [0, 1],
  macs: ({ node, input, output }) => {
    const query = input(0);
    const key = input(1);
    const value = input(2);
    if (!query || !key || !value || query.length > 4 || query.length < 3) return undefined;
    const split = query.length === 4;
    const heads = split ? query[1]! : intOf(node, headNames.query, 1);
    const groups = value.length === 4 ? value[1]! : intOf(node, headNames.keys, heads);
    const steps = query.at(split ? 2 : 1)!;
    // With a cache the keys are those of the present one; without it, those of the input.
    const present = node.outputs[1] === undefined ? key.at(key.length === 4 ? 2 : 1) : output(1)?.at(2);
    if (present === undefined) return undefined;
    const keySize = split ? query[3]! : query[2]! / heads;
    const valueSize = value.length === 4 ? value[3]! : value[2]! / groups;
    return query[0]! * steps * present * heads * (keySize + valueSize);
  },
});

/** Query alone holds everything when key and value are absent (packed): [B, S, (heads + 2·groups)·size]. */
const grouped: MacRule = {
  operands: [0, 1],
  macs: ({ node, input, output }) => {
    const query = input(0);
    const heads = intOf(node, 'num_heads', undefined);
    const groups = intOf(node, 'kv_num_heads', undefined);
    const present = output(1)?.at(2);
    if (query?.length !== 3 || !heads || !groups || present === undefined) return undefined;
    const size = query[2]! / (node.inputs[1] === undefined ? heads + 2 * groups : heads);
    return query[0]! * query[1]! * present * heads * size * 2;
  },
};

/** Rules of the attention ops. */
export const attentionMacs = {
  Attention: attention({ query: 'q_num_heads', keys: 'kv_num_heads' }),
  'com.microsoft::Attention': projected(4),
  'com.microsoft::QAttention': projected(8),
  'com.microsoft::MultiHeadAttention': attention({ query: 'num_heads', keys: 'num_heads' }),
  'com.microsoft::GroupQueryAttention': grouped,
} as const satisfies Record<string, MacRule>;
