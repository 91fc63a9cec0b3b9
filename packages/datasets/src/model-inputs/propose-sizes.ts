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
 * constants (a table of 77 positions, a reshape to 128) and in the shapes of its values (a length that was fixed while
 * it was traced). Sizes of one proposal fit together: a total is past plus new.
 */
export function* proposeSizes(open: readonly OpenSize[], graph?: Graph): Generator<Sizes> {
  const own = graph ? ownSizes(graph) : [];
  const sequence = mixed(usual.sequence, own);
  const image = mixed(usual.image, own);
  const audio = mixed(usual.audio, own);
  const kinds = new Set(open.map(({ kind }) => kind));
  const fitting = kinds.has('past') ? relations : withoutCache;
  // Lengths of text and sizes of images have nothing to do with each other: each is tried with each.
  const apart = (kinds.has('image') || kinds.has('audio')) && (kinds.has('sequence') || kinds.has('total'));
  const most = Math.max(sequence.length, image.length, audio.length);
  const seen = new Set<string>();
  for (const [i, j, r] of inOrderOfSum([most, apart ? most : 1, fitting.length])) {
    const at = (list: readonly number[], k: number) => list[Math.min(k, list.length - 1)]!; // lists are not empty
    const other = apart ? j : i;
    const sizes = fitting[r]!(open, { sequence: at(sequence, i), image: at(image, other), audio: at(audio, other) });
    const key = [...sizes.values()].join();
    if (seen.has(key) || isHuge(open, sizes)) continue;
    seen.add(key);
    yield sizes;
  }
}

const mostRows = { text: 2 ** 13, dense: 2 ** 20 };

/** Whether a batch of several is too large to be tried: attention over 512 rows of 512 tokens takes gigabytes. */
function isHuge(open: readonly OpenSize[], sizes: Sizes): boolean {
  const several = open.some(({ name, kind }) => kind === 'batch' && (sizes.get(name) ?? 1) > 1);
  const dense = open.some(({ kind }) => kind === 'image' || kind === 'audio');
  return several && sizeOf([...sizes.values()]) > (dense ? mostRows.dense : mostRows.text);
}

/** Triples of whole numbers below three bounds, those of the smallest sum first. */
function* inOrderOfSum([a, b, c]: readonly [number, number, number]): Generator<readonly [number, number, number]> {
  for (let sum = 0; sum <= a + b + c - 3; sum++) {
    for (let k = 0; k < Math.min(c, sum + 1); k++) {
      for (let j = 0; j < Math.min(b, sum - k + 1); j++) if (sum - k - j < a) yield [sum - k - j, j, k];
    }
  }
}

type Choice = Readonly<Record<'sequence' | 'image' | 'audio', number>>;
type Relation = (open: readonly OpenSize[], choice: Choice) => Sizes;

const by =
  (size: (kind: SizeKind, choice: Choice) => number): Relation =>
  (open, choice) =>
    new Map(open.map(({ name, kind }) => [name, size(kind, choice)]));

/** One new token after a cache. */
const afterCache = by((kind, choice) => {
  if (kind === 'batch' || kind === 'sequence') return 1;
  if (kind === 'past') return choice.sequence;
  return kind === 'total' ? choice.sequence + 1 : choice[kind];
});

const allAlike = by((kind, choice) =>
  kind === 'batch' ? 1 : kind === 'past' || kind === 'total' ? choice.sequence : choice[kind],
);

const relations: readonly Relation[] = [
  by((kind, choice) => {
    if (kind === 'batch') return 1;
    if (kind === 'past') return pastLength;
    return kind === 'total' ? pastLength + choice.sequence : choice[kind];
  }),
  afterCache,
  allAlike,
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

/** Without a cache, the total is most likely the length of the sequence. */
const withoutCache = [allAlike, ...relations.filter((relation) => relation !== afterCache && relation !== allAlike)];

/** The likeliest usual sizes, then those of the model, then the other usual ones; each once. */
const mixed = (list: readonly number[], own: readonly number[]): readonly number[] => [
  ...new Set([...list.slice(0, 3), ...own, ...list.slice(3)]),
];

const mostOwn = 12;
const largest = 4096;

/** Sizes that a model's constants speak of, then those in the shapes of its values, the most frequent first. */
function ownSizes(graph: Graph): readonly number[] {
  const shapes = [...graph.values].flatMap(([value, { shape }]) => (graph.inputs.includes(value) ? [] : (shape ?? [])));
  return [...new Set([...constantSizes(graph), ...mostFrequent(shapes)])];
}

function constantSizes(graph: Graph): readonly number[] {
  const sizes: number[] = [];
  for (const constant of graph.constants.values()) {
    if (constant.shape.length > 1) sizes.push(...constant.shape);
    else if (constant.dtype === 'int64' && sizeOf(constant.shape) <= 8) sizes.push(...toNumbers(constant));
  }
  return mostFrequent(sizes);
}

function mostFrequent(sizes: readonly (number | string)[]): readonly number[] {
  const counts = new Map<number, number>();
  for (const size of sizes) {
    if (typeof size !== 'number' || !Number.isInteger(size) || size < 2 || size > largest) continue;
    counts.set(size, (counts.get(size) ?? 0) + 1);
  }
  return [...counts]
    .sort(([a, m], [b, n]) => n - m || a - b)
    .slice(0, mostOwn)
    .map(([size]) => size);
}
