import { type Dim, intOf, intsOf } from '@espalier/core';
import { type Window, windowOf } from '../window.js';
import { addDims, ceilDivDims, floorDivDims, minDims, mulDims, subDims } from './dim.js';
import type { Site } from './site.js';

/** A window of sizes that may have names, and how a last place that is not full counts. */
export interface ShapeWindow extends Window<Dim> {
  readonly ceil: boolean;
}

/** The window of a node, its lists checked. @throws GRAPH_SHAPE when a list is of the wrong length. */
export function checkedWindow(site: Site, kernel: readonly Dim[]): ShapeWindow {
  const count = kernel.length;
  for (const name of ['strides', 'dilations']) listOf(site, name, { count, fallback: 1, least: 1 });
  listOf(site, 'pads', { count: 2 * count, fallback: 0, least: Number.NEGATIVE_INFINITY });
  return { ...windowOf<Dim>(site.node, { kernel }), ceil: intOf(site.node, 'ceil_mode', 0) === 1 };
}

/** A list attribute of `count` numbers. @throws GRAPH_SHAPE when it is shorter, longer, or holds a smaller number. */
export function listOf(
  site: Site,
  name: string,
  { count, fallback, least }: { readonly count: number; readonly fallback: number; readonly least: number },
): readonly number[] {
  const given = intsOf(site.node, name, undefined);
  if (given === undefined || given.length === 0) return new Array<number>(count).fill(fallback);
  if (given.length !== count || given.some((each) => each < least)) {
    const bound = Number.isFinite(least) ? ` of at least ${least}` : '';
    throw site.fail({ expected: `attribute "${name}" of ${count} numbers${bound}`, found: `[${given.join(',')}]` });
  }
  return given;
}

/** The reach of a window: (k - 1)·dilation + 1. */
export const reachOf = (window: ShapeWindow, axis: number): Dim =>
  addDims(mulDims(subDims(window.kernel[axis]!, 1), window.dilations[axis]!), 1);

/**
 * The number of places a window takes along each spatial axis: ⌊(n + p - reach)/s⌋ + 1 for total padding p; in
 * ceil mode ⌈·⌉ + 1, but no window may start in the padding behind the end. SAME: ⌈n/s⌉. (onnx.ai, Conv, MaxPool.)
 * @throws GRAPH_SHAPE when the window is larger than the padded input.
 */
export const slidDims = (site: Site, spatial: readonly Dim[], window: ShapeWindow): readonly Dim[] =>
  spatial.map((size, axis) => slid(site, size, { window, axis }));

function slid(site: Site, size: Dim, { window, axis }: { readonly window: ShapeWindow; readonly axis: number }): Dim {
  const stride = window.strides[axis]!;
  if (window.autoPad === 'SAME_UPPER' || window.autoPad === 'SAME_LOWER') return ceilDivDims(size, stride);
  const explicit = window.autoPad !== 'VALID';
  const before = explicit ? window.pads[axis]! : 0;
  const after = explicit ? window.pads[axis + window.kernel.length]! : 0;
  const room = subDims(addDims(size, before + after), reachOf(window, axis));
  if (typeof room === 'number' && room < 0 && size !== 0) {
    throw site.fail({
      expected: `a window no larger than the padded input along spatial axis ${axis}`,
      found: `reach ${reachOf(window, axis)} over ${size} with padding ${before} + ${after}`,
    });
  }
  if (!window.ceil) return addDims(floorDivDims(room, stride), 1);
  const reach = reachOf(window, axis);
  const staysInside = typeof reach === 'number' && after + stride <= reach; // then the bound below never binds
  if (staysInside) return addDims(ceilDivDims(room, stride), 1);
  return minDims(addDims(ceilDivDims(room, stride), 1), ceilDivDims(addDims(size, before), stride));
}
