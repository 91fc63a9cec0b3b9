import { type Graph, sizeOf, toNumbers } from '@espalier/core';
import type { OpenSize, SizeKind } from './open-sizes.js';

/** Sizes by name. */
export type Sizes = ReadonlyMap<string, number>;

// The usual sizes of each kind, the likeliest first; later ones are those of well-known models.
const usual = {
  sequence: [64, 32, 16, 128, 8, 1, 4, 256, 512, 77, 100, 2, 3, 5, 10, 20, 50, 1024],
  image: [64, 224, 32, 128, 256, 320, 96, 48, 112, 512, 640, 28, 16, 8, 100],
  audio: [16_000, 4000, 512, 8000, 576, 1024, 480, 160, 400, 32_000, 64],
} as const;
const pastLength = 8;

/**
 * Sizes to try, the likeliest first: usual ones for what each size counts, and sizes that stand in the model's own
 * constants (a table of 77 positions, a reshape to 128). Sizes of one proposal fit together: a total is past plus new.
 */
export function* proposeSizes(open: readonly OpenSize[], graph?: Graph): Generator<Sizes> {
  const own = graph ? ownSizes(graph) : [];
  const sequence = mixed(usual.sequence, own);
  const image = mixed(usual.image, own);
  const audio = mixed(usual.audio, own);
  const most = Math.max(sequence.length, image.length, audio.length);
  const seen = new Set<string>();
  for (let sum = 0; sum < most + relations.length; sum++) {
    for (let r = 0; r <= Math.min(sum, relations.length - 1); r++) {
      const i = sum - r;
      if (i >= most) continue;
      const at = (list: readonly number[]) => list[Math.min(i, list.length - 1)]!; // lists are not empty
      const sizes = relations[r]!(open, { sequence: at(sequence), image: at(image), audio: at(audio) });
      const key = [...sizes.values()].join();
      if (seen.has(key)) continue;
      seen.add(key);
      yield sizes;
    }
  }
}

type Choice = Readonly<Record<'sequence' | 'image' | 'audio', number>>;
type Relation = (open: readonly OpenSize[], choice: Choice) => Sizes;

const by =
  (size: (kind: SizeKind, choice: Choice) => number): Relation =>
  (open, choice) =>
    new Map(open.map(({ name, kind }) => [name, size(kind, choice)]));

const relations: readonly Relation[] = [
  by((kind, choice) => {
    if (kind === 'batch') return 1;
    if (kind === 'past') return pastLength;
    return kind === 'total' ? pastLength + choice.sequence : choice[kind];
  }),
  // One new token after a cache.
  by((kind, choice) => {
    if (kind === 'batch' || kind === 'sequence') return 1;
    if (kind === 'past') return choice.sequence;
    return kind === 'total' ? choice.sequence + 1 : choice[kind];
  }),
  // All lengths alike.
  by((kind, choice) => (kind === 'batch' ? 1 : kind === 'past' || kind === 'total' ? choice.sequence : choice[kind])),
  by((kind, choice) => (kind === 'batch' ? 1 : choice.sequence)),
  // The last open length is the sum of the others.
  (open, { sequence }) => {
    const lengths = open.filter(({ kind }) => kind !== 'batch');
    const sum = sequence * Math.max(1, lengths.length - 1);
    return new Map(
      open.map(({ name, kind }) => [name, kind === 'batch' ? 1 : name === lengths.at(-1)?.name ? sum : sequence]),
    );
  },
  by((kind, choice) =>
    kind === 'batch' ? choice.sequence : kind === 'past' || kind === 'total' ? pastLength : choice[kind],
  ),
];

/** The likeliest usual sizes, then those of the model, then the other usual ones; each once. */
const mixed = (list: readonly number[], own: readonly number[]): readonly number[] => [
  ...new Set([...list.slice(0, 3), ...own, ...list.slice(3)]),
];

const mostOwn = 12;
const largest = 4096;

/** Sizes that a model's constants speak of, the most frequent first. */
function ownSizes(graph: Graph): readonly number[] {
  const counts = new Map<number, number>();
  const note = (size: number) => {
    if (Number.isInteger(size) && size > 1 && size <= largest) counts.set(size, (counts.get(size) ?? 0) + 1);
  };
  for (const constant of graph.constants.values()) {
    if (constant.shape.length > 1) for (const size of constant.shape) note(size);
    else if (constant.dtype === 'int64' && sizeOf(constant.shape) <= 8) toNumbers(constant).forEach(note);
  }
  return [...counts]
    .sort(([a, m], [b, n]) => n - m || a - b)
    .slice(0, mostOwn)
    .map(([size]) => size);
}
