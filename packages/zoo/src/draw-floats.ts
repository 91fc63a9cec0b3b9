import type { Random } from '@espalier/core';

/** `count` values, uniform in [-bound, bound). */
export function drawUniform(count: number, bound: number, random: Random): Float32Array {
  const out = new Float32Array(count);
  const step = bound / 2 ** 31;
  eachBlock(count, random, (words, at, length) => {
    for (let i = 0; i < length; i++) out[at + i] = words[i]! * step;
  });
  return out;
}

/** `count` values, normal with mean 0 (Box and Muller 1958, both values of each pair). */
export function drawNormal(count: number, deviation: number, random: Random): Float32Array {
  const out = new Float32Array(count);
  const turn = Math.PI / 2 ** 31;
  eachBlock(count, random, (words, at, length) => {
    for (let i = 0; i < length; i += 2) {
      const radius = deviation * Math.sqrt(-2 * Math.log(((words[i]! >>> 0) + 1) / 2 ** 32));
      const angle = words[i + 1]! * turn;
      out[at + i] = radius * Math.cos(angle);
      if (i + 1 < length) out[at + i + 1] = radius * Math.sin(angle);
    }
  });
  return out;
}

const block = 4096; // even, so that no pair is torn

/**
 * Random signed 32-bit words, a block at a time: xoshiro128** (Blackman and Vigna 2021, arXiv 1805.01407) from the
 * state of `random`. AlexNet has 61 million weights, so nothing is called per word.
 */
function eachBlock(count: number, random: Random, use: (words: Int32Array, at: number, length: number) => void): void {
  let [a = 1, b = 2, c = 3, d = 4] = random.state();
  const words = new Int32Array(block);
  for (let at = 0; at < count; at += block) {
    for (let i = 0; i < block; i++) {
      const times5 = Math.imul(b, 5);
      words[i] = Math.imul((times5 << 7) | (times5 >>> 25), 9);
      const t = b << 9;
      c ^= a;
      d ^= b;
      b ^= c;
      a ^= d;
      c ^= t;
      d = (d << 11) | (d >>> 21);
    }
    use(words, at, Math.min(block, count - at));
  }
}
