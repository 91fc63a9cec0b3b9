import type { Random } from '@espalier/core';

/** A way to damage bytes. */
export interface Mutation {
  readonly name: string;
  apply(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array;
}

const somewhere = (bytes: Uint8Array, random: Random): number => random.below(Math.max(1, bytes.length));

// Most of a model file is weights, where damage shows little: half of the hits go to the places between them.
function target(bytes: Uint8Array, random: Random): number {
  if (random.next() < 0.5) return somewhere(bytes, random);
  const at = somewhere(bytes, random);
  for (let i = at; i < Math.min(bytes.length, at + 200_000); i++) {
    // Letters in a row are names, and names stand beside tags and lengths.
    if (isLetter(bytes[i]) && isLetter(bytes[i + 1]) && isLetter(bytes[i + 2]))
      return Math.max(0, i - 1 - random.below(4));
  }
  return at;
}

const isLetter = (byte: number | undefined): boolean => byte !== undefined && (byte | 32) >= 97 && (byte | 32) <= 122;

/** Seeded damage: flipped bits, cut ends, wrong lengths, bytes of another file, moved, repeated and removed runs. */
export const mutations: readonly Mutation[] = [
  {
    name: 'bit flips',
    apply(bytes, random) {
      const out = bytes.slice();
      for (let i = 1 + random.below(8); i > 0; i--) out[target(out, random)]! ^= 1 << random.below(8);
      return out;
    },
  },
  { name: 'truncation', apply: (bytes, random) => bytes.slice(0, somewhere(bytes, random)) },
  {
    name: 'length tampering',
    apply(bytes, random) {
      const out = bytes.slice();
      const at = target(out, random);
      const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01].slice(-(1 + random.below(10)));
      out.set(huge.slice(0, out.length - at), at);
      return out;
    },
  },
  {
    name: 'splice',
    apply(bytes, random, other) {
      const out = bytes.slice();
      const from = target(other, random);
      const run = other.subarray(from, from + 1 + random.below(256));
      const at = target(out, random);
      out.set(run.subarray(0, out.length - at), at);
      return out;
    },
  },
  {
    name: 'removal',
    apply(bytes, random) {
      const at = target(bytes, random);
      const out = new Uint8Array(bytes.length);
      const gap = 1 + random.below(64);
      out.set(bytes.subarray(0, at));
      out.set(bytes.subarray(at + gap), at);
      return out.subarray(0, Math.max(0, bytes.length - gap));
    },
  },
  {
    name: 'repetition',
    apply(bytes, random) {
      const at = target(bytes, random);
      const run = bytes.subarray(at, at + 1 + random.below(512));
      const out = new Uint8Array(bytes.length + run.length);
      out.set(bytes.subarray(0, at));
      out.set(run, at);
      out.set(bytes.subarray(at), at + run.length);
      return out;
    },
  },
];
