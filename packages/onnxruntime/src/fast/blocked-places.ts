import { intOf, type Node, textOf, toNumbers, type ValueId } from '@espalier/core';
import type { BlockedRule } from './blocked-rule.js';
import type { BlockedWriter, Image } from './blocked-writer.js';
import { pickRows, rowsOf } from './rows.js';

/** For each place of the output along an axis, the place of the input it is copied from; -1 for zero. */
type Sources = readonly number[];

/** The rows and columns of the output; undefined where the node does more than move places. */
type Reading = (node: Node, w: BlockedWriter, image: Image) => readonly [Sources, Sources] | undefined;

const everyPlace = (size: number): Sources => Array.from({ length: size }, (_, i) => i);

/** An op that moves whole places of an image, all channels together. */
const moving =
  (reading: Reading, { evenIfPlain }: { readonly evenIfPlain: boolean }): BlockedRule =>
  (node, w) => {
    const x = node.inputs[0] as ValueId; // every such op has one
    const [image, to] = [w.image(x), w.image(node.outputs[0])];
    if (!image || !to || !w.fills(image) || image.channels !== to.channels) return false;
    if (!evenIfPlain && !w.isBlocked(x)) return false;
    const places = reading(node, w, image);
    if (places?.[0].length !== to.height || places[1].length !== to.width) return false;
    const [rows, columns] = places;
    const area = to.height * to.width;
    const moved = pickRows(w, [rowsOf(w, w.blocked(x), image)], {
      batch: image.batch,
      count: (to.padded / w.block) * area,
      source(i) {
        const [row, column] = [rows[Math.floor((i % area) / to.width)]!, columns[i % to.width]!];
        return row < 0 || column < 0 ? -1 : (Math.floor(i / area) * image.height + row) * image.width + column;
      },
    });
    w.give(node.outputs[0], w.emit('Reshape', [moved, w.longs([-1, to.padded, to.height, to.width])]));
    return true;
  };

const numbersOf = (w: BlockedWriter, value: ValueId | undefined): readonly number[] | undefined => {
  const constant = value === undefined ? undefined : w.graph.constants.get(value);
  return constant && Array.from(toNumbers(constant));
};

const slice: Reading = (node, w, { height, width }) => {
  const [starts, ends] = [numbersOf(w, node.inputs[1]), numbersOf(w, node.inputs[2])];
  if (!starts || !ends) return undefined;
  const axes = node.inputs[3] === undefined ? starts.map((_, i) => i) : numbersOf(w, node.inputs[3]);
  const steps = node.inputs[4] === undefined ? starts.map(() => 1) : numbersOf(w, node.inputs[4]);
  const places: [Sources, Sources] = [everyPlace(height), everyPlace(width)];
  for (const [i, each] of (axes ?? []).entries()) {
    const axis = (each < 0 ? each + 4 : each) - 2;
    const size = [height, width][axis];
    const step = steps?.[i] ?? 0;
    if (size === undefined || step < 1) return undefined;
    const at = (place: number) => Math.min(Math.max(place < 0 ? place + size : place, 0), size);
    const [start, end] = [at(starts[i]!), at(ends[i]!)];
    places[axis as 0 | 1] = everyPlace(size).filter(
      (place) => place >= start && place < end && (place - start) % step === 0,
    );
  }
  return axes && steps ? places : undefined;
};

const pad: Reading = (node, w, { height, width }) => {
  const pads = numbersOf(w, node.inputs[1]);
  const filling = node.inputs[2] === undefined ? [0] : numbersOf(w, node.inputs[2]);
  if (pads?.length !== 8 || filling?.[0] !== 0 || node.inputs[3] !== undefined) return undefined;
  if (textOf(node, 'mode', 'constant') !== 'constant') return undefined;
  const [top, left, bottom, right] = [pads[2]!, pads[3]!, pads[6]!, pads[7]!];
  if ([0, 1, 4, 5].some((i) => pads[i] !== 0)) return undefined;
  const padded = (size: number, [begin, end]: readonly [number, number]): Sources =>
    Array.from({ length: Math.max(0, begin + size + end) }, (_, i) =>
      i < begin || i >= begin + size ? -1 : i - begin,
    );
  return [padded(height, [top, bottom]), padded(width, [left, right])];
};

const gather: Reading = (node, w, { height, width }) => {
  const index = node.inputs[1];
  const places = numbersOf(w, index);
  const axis = intOf(node, 'axis', 0);
  const along = (axis < 0 ? axis + 4 : axis) - 2;
  const size = [height, width][along];
  if (!places || size === undefined || w.graph.constants.get(index!)?.shape.length !== 1) return undefined;
  const from = places.map((place) => (place < 0 ? place + size : place));
  return along === 0 ? [from, everyPlace(width)] : [everyPlace(height), from];
};

/**
 * Ops that move places of an image: a place of a blocked value is copied as a whole, where the runtime's own kernels go
 * element by element along a row. For Gather that pays for the conversion.
 */
export const blockedPlaces = {
  Slice: moving(slice, { evenIfPlain: false }),
  Pad: moving(pad, { evenIfPlain: false }),
  Gather: moving(gather, { evenIfPlain: true }),
} as const;
