import { int, longs, type ValueId } from '@espalier/core';
import { type Feature, type NetTools, place, type Steps } from './net-tools.js';

const area = place * place;

/** Steps over tokens: attention in its forms, tied tables, windows, recurrent layers. */
export function tokenSteps(tools: NetTools): Steps {
  const { b, random, name, weight, list, pick, reshape, transpose, tokensOf, imageOf } = tools;
  const heads = (value: ValueId, count: number, dims: number) =>
    transpose(reshape(value, 2, -1, count, dims), 0, 2, 1, 3);
  /** Softmax(q kᵀ) v of [2, heads, 16, dims], projected back and added to the image. */
  const attended = (x: Feature, [q, k, v]: readonly [ValueId, ValueId, ValueId], width: number): Feature => {
    const scores = b.add('MatMul', [q, transpose(k, 0, 1, 3, 2)]);
    const soft = b.add('Softmax', [scores], { attributes: { axis: int(-1) } });
    const merged = reshape(transpose(b.add('MatMul', [soft, v]), 0, 2, 1, 3), 2, -1, width);
    return projected(x, merged, width);
  };
  const projected = (x: Feature, merged: ValueId, width: number): Feature => {
    const out = b.add('MatMul', [merged, weight(width, x.channels)]);
    return { ...x, value: b.add('Add', [x.value, imageOf(out, x.channels)]) };
  };
  return {
    attention: (x) => {
      const [count, dims] = [pick([2, 3]), pick([2, 4])];
      const width = count * dims;
      const tokens = tokensOf(x);
      const part = () => {
        const sums = b.add('MatMul', [tokens, weight(x.channels, width)]);
        return heads(b.add('Add', [sums, weight(width)]), count, dims);
      };
      return attended(x, [part(), part(), part()], width);
    },
    groupedQueries: (x) => {
      const [shared, times, dims] = [2, pick([2, 3]), pick([2, 4])];
      const tokens = tokensOf(x);
      const part = (count: number) => heads(b.add('MatMul', [tokens, weight(x.channels, count * dims)]), count, dims);
      const repeat = (value: ValueId) => {
        const apart = b.add('Unsqueeze', [value, list(2)]);
        const wide = random.below(2)
          ? b.add('Expand', [apart, list(2, shared, times, area, dims)])
          : b.add('Tile', [apart, list(1, 1, times, 1, 1)]);
        return reshape(wide, 2, shared * times, area, dims);
      };
      const parts = [part(shared * times), repeat(part(shared)), repeat(part(shared))] as const;
      return attended(x, parts, shared * times * dims);
    },
    joinedProjection: (x) => {
      const [count, dims] = [2, pick([2, 4])];
      const all = b.add('MatMul', [tokensOf(x), weight(x.channels, 3 * count * dims)]);
      const stacked = transpose(reshape(all, 2, -1, 3, count, dims), 2, 0, 3, 1, 4);
      const part = (i: number) =>
        b.add('Gather', [stacked, b.constant(name(), longs([i], []))], { attributes: { axis: int(0) } });
      return attended(x, [part(0), part(1), part(2)], count * dims);
    },
    fusedAttention: (x) => {
      const [count, dims] = [pick([2, 3]), pick([2, 4])];
      const width = count * dims;
      const inputs = [tokensOf(x), weight(x.channels, 3 * width), weight(3 * width)];
      const y = b.add('com.microsoft::Attention', inputs, { attributes: { num_heads: int(count) } });
      return projected(x, y, width);
    },
    tied: (x) => {
      const table = weight(5, x.channels);
      const down = b.add('MatMul', [tokensOf(x), transpose(table, 1, 0)]);
      return { ...x, value: imageOf(b.add('MatMul', [b.add('Relu', [down]), table]), x.channels) };
    },
    windows: (x) => {
      const half = place / 2;
      const last = transpose(x.value, 0, 2, 3, 1);
      const apart = transpose(reshape(last, 2, 2, half, 2, half, x.channels), 0, 1, 3, 2, 4, 5);
      const mixed = b.add('MatMul', [reshape(apart, 8, half * half, x.channels), weight(x.channels, x.channels)]);
      const back = transpose(reshape(mixed, 2, 2, 2, half, half, x.channels), 0, 1, 3, 2, 4, 5);
      return { ...x, value: transpose(reshape(back, 2, place, place, x.channels), 0, 3, 1, 2) };
    },
    recurrent: (x) => {
      const [op, gates] = pick([
        ['RNN', 1],
        ['GRU', 3],
        ['LSTM', 4],
      ] as const);
      const hidden = 2 + random.below(4);
      const sizes = [
        [1, gates * hidden, x.channels],
        [1, gates * hidden, hidden],
        [1, 2 * gates * hidden],
      ];
      const inputs = [transpose(tokensOf(x), 1, 0, 2), ...sizes.map((shape) => weight(...shape))];
      const y = b.add(op, inputs, { attributes: { hidden_size: int(hidden) } });
      const tokens = transpose(b.add('Squeeze', [y, list(1)]), 1, 0, 2);
      return { value: imageOf(tokens, hidden), channels: hidden };
    },
  };
}
