import { type Node, staticShape, type ValueId } from '@espalier/core';
import { inBlocks, kindOf } from './blocked-convolution.js';
import { type BlockedWriter, blockedDomain, type Image } from './blocked-writer.js';
import { type ExchangedFilter, exchangedDepthwiseFilter, exchangedFilter, filledUpFilter, pickTaps } from './filter.js';
import { pickRows, type Rows } from './rows.js';
import { type PlaneWindow, planeWindow, windowAttributes } from './window.js';

/**
 * `espalier::ConvInputGradient(dy, w)` over blocked values: blocked convolutions of dy with the filter turned by 180
 * degrees and its channels exchanged. At strides above 1 the places of dx fall into phases, which meet different taps:
 *
 *     dx[q·stride + p - pad] = Σ over t of dy[q - t] w[p + t·stride]   for phase p of each axis
 *
 * Each phase is a convolution of dy itself, without zeros between, and the results are interleaved.
 */
export function blockedInputGradient(node: Node, w: BlockedWriter): boolean {
  const [dy, filter] = node.inputs as readonly [ValueId, ValueId]; // it has both
  const [from, to] = [w.image(dy), w.image(node.outputs[0])];
  const shape = staticShape(w.graph, filter);
  const window = shape?.length === 4 ? planeWindow(node, shape.slice(2)) : undefined;
  if (!from || !to || !shape || !window) return false;
  const [outputs, inputs, height, width] = shape as [number, number, number, number]; // four
  const size = { outputs, inputs, height, width };
  const kind = kindOf(size, window.group);
  if (!kind || !w.fills(to) || !w.fills(from)) return false;
  const phases = phasesOf(window, [from.height, from.width], [to.height, to.width]);
  if (!phases) return false;
  const filled = filledUpFilter(w, filter, { size, to: from, ...(kind === 'full' ? { from: to } : {}) });
  const exchange = kind === 'full' ? exchangedFilter : exchangedDepthwiseFilter;
  const exchanged = exchange(w, filled.value, filled.size);
  w.give(
    node.outputs[0],
    interleaved(w, { value: w.blocked(dy), exchanged, window: inBlocks(window, to), phases, to }),
  );
  return true;
}

/** The places of dx along one axis that meet the same taps. */
interface Phase {
  /** The first place and how many; they lie a stride apart. */
  readonly first: number;
  readonly count: number;
  /** Rows or columns of the kernel, in the order in which the convolution of dy reads them. */
  readonly taps: readonly number[];
  readonly pads: readonly [number, number];
}

/** The phases of both axes; undefined where dilations and strides mix, or where a convolution would need negative pads. */
function phasesOf(
  window: PlaneWindow,
  from: readonly [number, number],
  to: readonly [number, number],
): readonly [readonly Phase[], readonly Phase[]] | undefined {
  const axes = [0, 1].map((axis) => {
    const [kernel, stride, dilation] = [window.kernel[axis]!, window.strides[axis]!, window.dilations[axis]!];
    const pad = window.pads[axis]!;
    if (stride > 1 && dilation > 1) return undefined;
    return Array.from({ length: stride }, (_, p): Phase => {
      const taps = Array.from({ length: kernel }, (__, tap) => tap).filter((tap) => tap % stride === p);
      const low = Math.ceil((pad - p) / stride);
      const count = Math.max(0, Math.floor((to[axis]! - 1 + pad - p) / stride) - low + 1);
      const reach = (taps.length - 1) * dilation;
      const pads = [reach - low, low + count - from[axis]!] as const;
      return { first: low * stride + p - pad, count, taps: taps.reverse(), pads };
    });
  });
  const [rows, columns] = axes;
  const fit = (phases: readonly Phase[]) =>
    phases.every(({ count, taps, pads }) => count === 0 || taps.length === 0 || pads.every((pad) => pad >= 0));
  return rows && columns && fit(rows) && fit(columns) ? [rows, columns] : undefined;
}

interface Site {
  readonly value: ValueId;
  readonly exchanged: ExchangedFilter;
  readonly window: PlaneWindow;
  readonly phases: readonly [readonly Phase[], readonly Phase[]];
  readonly to: Image;
}

function interleaved(w: BlockedWriter, { value, exchanged, window, phases, to }: Site): ValueId {
  const pairs = phases[0].flatMap((row) => phases[1].map((column) => [row, column] as const));
  const met = pairs.filter(([row, column]) => row.count * column.count * row.taps.length * column.taps.length > 0);
  const parts = met.map(([row, column]) =>
    w.emit(`${blockedDomain}::Conv`, [value, pickTaps(w, exchanged, [row.taps, column.taps])], {
      ...windowAttributes({
        ...window,
        kernel: [row.taps.length, column.taps.length],
        strides: [1, 1],
        pads: [row.pads[0], column.pads[0], row.pads[1], column.pads[1]],
      }),
    }),
  );
  if (pairs.length === 1) return parts[0]!; // a window has a tap
  const rows = parts.map((value, i) => {
    const [row, column] = met[i]!;
    return { value, count: (to.padded / w.block) * row.count * column.count };
  });
  const moved = pickRows(w, rows, {
    batch: to.batch,
    count: (to.padded / w.block) * to.height * to.width,
    source: sourceOf({ met, rows, phases, to }),
  });
  return w.emit('Reshape', [moved, w.longs([-1, to.padded, to.height, to.width])]);
}

/** Where the row of a place of dx stands among the results of all phases. */
function sourceOf({
  met,
  rows,
  phases,
  to,
}: Pick<Site, 'phases' | 'to'> & {
  readonly met: readonly (readonly [Phase, Phase])[];
  readonly rows: readonly Rows[];
}): (i: number) => number {
  const area = to.height * to.width;
  const begin = rows.map((_, i) => rows.slice(0, i).reduce((sum, { count }) => sum + count, 0));
  const phaseOf = (axis: 0 | 1, place: number) => {
    const stride = phases[axis].length;
    const phase = phases[axis].find(({ first, count }) => (place - first) % stride === 0 && count > 0)!; // each has one
    return { phase, at: (place - phase.first) / stride };
  };
  const places = [to.height, to.width].map((size, axis) =>
    Array.from({ length: size }, (_, place) => phaseOf(axis as 0 | 1, place)),
  ) as [ReturnType<typeof phaseOf>[], ReturnType<typeof phaseOf>[]]; // two axes
  return (i) => {
    const [row, column] = [places[0][Math.floor((i % area) / to.width)]!, places[1][i % to.width]!];
    const part = met.findIndex((each) => each[0] === row.phase && each[1] === column.phase);
    if (part < 0) return -1;
    const { count } = row.phase;
    return begin[part]! + (Math.floor(i / area) * count + row.at) * column.phase.count + column.at;
  };
}
