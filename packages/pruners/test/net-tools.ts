import { buildGraph, floats, type GraphBuilder, ints, longs, type Random, type ValueId } from '@espalier/core';

/** An image-like value of a random net: [2, channels, 4, 4]. */
export interface Feature {
  readonly value: ValueId;
  readonly channels: number;
}

/** Height and width of every feature. */
export const place = 4;

/** Ways to go on, by name; `all` are the features so far. */
export type Steps = Readonly<Record<string, (x: Feature, all: readonly Feature[]) => Feature>>;

/** What the steps of a random net build with. */
export interface NetTools {
  readonly b: GraphBuilder;
  readonly random: Random;
  /** A name that is new. */
  name(): string;
  /** A weight of seeded values, scaled so that sums keep their size. */
  weight(...shape: number[]): ValueId;
  /** A list of whole numbers. */
  list(...numbers: number[]): ValueId;
  pick<T>(list: readonly T[]): T;
  reshape(x: ValueId, ...shape: number[]): ValueId;
  transpose(x: ValueId, ...perm: number[]): ValueId;
  /** Pixels as tokens [2, 16, channels]. */
  tokensOf(x: Feature): ValueId;
  imageOf(tokens: ValueId, channels: number): ValueId;
}

/** Opens an empty net. */
export function netTools(random: Random): NetTools {
  const opsets = new Map([
    ['', 17],
    ['com.microsoft', 1],
  ]);
  const b = buildGraph({ inputs: [], outputs: [], nodes: [], opsets });
  let made = 0;
  const name = () => `w${made++}`;
  const list = (...numbers: number[]) => b.constant(name(), longs(numbers));
  const reshape = (x: ValueId, ...shape: number[]) => b.add('Reshape', [x, list(...shape)]);
  const transpose = (x: ValueId, ...perm: number[]) => b.add('Transpose', [x], { attributes: { perm: ints(perm) } });
  return {
    b,
    random,
    name,
    weight(...shape) {
      const count = shape.reduce((product, dim) => product * dim, 1);
      const spread = 1.5 / Math.sqrt(Math.max(1, count / shape[0]!));
      const values = Float32Array.from({ length: count }, () => (random.next() - 0.5) * 2 * spread);
      return b.constant(name(), floats(values, shape));
    },
    list,
    pick: (from) => from[random.below(from.length)]!,
    reshape,
    transpose,
    tokensOf: ({ value, channels }) => transpose(reshape(value, 2, channels, place * place), 0, 2, 1),
    imageOf: (tokens, channels) => reshape(transpose(tokens, 0, 2, 1), 2, channels, place, place),
  };
}
