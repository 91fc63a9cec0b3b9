import { problem } from './errors.js';
import { shown } from './shown.js';

/** A seeded source of random numbers with a state that can be saved and restored. */
export interface Random {
  /** Uniform in [0, 1), 53 bits. */
  next(): number;
  /** Uniform whole number in [0, below). */
  below(below: number): number;
  /** Normal with mean 0 and variance 1 (Box and Muller 1958). */
  normal(): number;
  /** The numbers 0..count-1 in random order (Fisher and Yates, Durstenfeld 1964). */
  permutation(count: number): Uint32Array;
  /** An independent source; equal names from equal states give equal sources. Does not move this one. */
  fork(name: string): Random;
  /** Everything needed to go on from here: `restoreRandom(random.state())`. */
  state(): readonly number[];
}

/** A source from a whole-number seed. Same seed, same numbers, on every machine. */
export function createRandom(seed: number): Random {
  return fromState(expand(Math.trunc(seed) >>> 0, Math.floor(seed / 2 ** 32) >>> 0));
}

/** Goes on from a saved state. @throws RANDOM_STATE unless it is four 32-bit numbers, not all 0. */
export function restoreRandom(state: readonly number[]): Random {
  const words = Uint32Array.from(state);
  if (words.length !== 4 || words.every((word) => word === 0) || words.some((word, i) => word !== state[i])) {
    throw problem('RANDOM_STATE', {
      where: 'random state',
      expected: 'four whole numbers from 0 to 2^32 - 1, not all 0, as `state()` gives',
      found: shown(state),
      fix: 'The saved state is damaged: start again from a seed.',
    });
  }
  return fromState(words);
}

// xoshiro128** (Blackman and Vigna 2021, arXiv 1805.01407): 128 bits of state, passes BigCrush.
function fromState(s: Uint32Array): Random {
  const word = (): number => {
    const result = Math.imul(rotate(Math.imul(s[1]!, 5), 7), 9) >>> 0;
    const t = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= t;
    s[3] = rotate(s[3]!, 11);
    return result;
  };
  const next = () => ((word() >>> 5) * 67108864 + (word() >>> 6)) / 9007199254740992;
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    next,
    below,
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    permutation(count) {
      const order = Uint32Array.from({ length: count }, (_, i) => i);
      for (let i = count - 1; i > 0; i--) {
        const j = below(i + 1);
        [order[i], order[j]] = [order[j]!, order[i]!];
      }
      return order;
    },
    fork(name) {
      let hash = 0x811c9dc5; // FNV-1a, 32 bits
      for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
      return fromState(expand((s[0]! ^ hash) >>> 0, (s[1]! ^ s[2]! ^ s[3]!) >>> 0));
    },
    state: () => [...s],
  };
}

const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by));

// Fills the state from 64 seed bits with a mixing function (MurmurHash3's finalizer), so that near seeds differ.
function expand(low: number, high: number): Uint32Array {
  const s = new Uint32Array(4);
  for (let i = 0; i < 4; i++) {
    let x = (low + Math.imul(i + 1, 0x9e3779b9) + Math.imul(high, 0x85ebca6b)) >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    s[i] = x ^ (x >>> 16);
  }
  if (s.every((each) => each === 0)) s[0] = 1;
  return s;
}
