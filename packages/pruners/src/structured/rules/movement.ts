import { intOf, ints, intsOf } from '@espalier/core';
import { type AxisRule, axisAt, type Edit, type Kept, type Port, type Site } from '../axis-rule.js';

const ends = (site: Site): { readonly x: Port; readonly y: Port } | undefined => {
  const [x, y] = [site.inputs[0], site.outputs[0]];
  if (x && y) return { x, y };
  site.pinAll('its shapes are not known');
  return undefined;
};

const transpose: AxisRule = {
  relate(site) {
    const found = ends(site);
    if (!found) return;
    const rank = found.x.shape.length;
    const order = intsOf(site.node, 'perm', undefined) ?? found.x.axes.map((_, i) => rank - 1 - i);
    order.forEach((from, to) => {
      site.same(found.x.axes[from]!, found.y.axes[to]!);
    });
  },
};

const concat: AxisRule = {
  relate(site) {
    const y = site.outputs[0];
    if (!y || site.inputs.some((each) => !each)) return site.pinAll('its shapes are not known');
    const along = axisAt(intOf(site.node, 'axis', 0), y.shape.length);
    let offset = 0;
    for (const x of site.inputs as readonly Port[]) {
      x.axes.forEach((axis, i) => {
        if (i === along) site.run(axis, y.axes[i]!, { fromB: offset, count: axis.size });
        else site.same(axis, y.axes[i]!);
      });
      offset += x.shape[along]!;
    }
  },
};

const splitAxis = (site: Site, x: Port): number => axisAt(intOf(site.node, 'axis', 0), x.shape.length);

const split: AxisRule = {
  relate(site) {
    const x = site.inputs[0];
    if (!x || site.outputs.some((each) => !each)) return site.pinAll('its shapes are not known');
    const along = splitAxis(site, x);
    let offset = 0;
    for (const y of site.outputs as readonly Port[]) {
      y.axes.forEach((axis, i) => {
        if (i === along) site.run(axis, x.axes[i]!, { fromB: offset, count: axis.size });
        else site.same(axis, x.axes[i]!);
      });
      offset += y.shape[along]!;
    }
  },
  rewrite(site, kept) {
    const x = site.inputs[0]!; // related before
    const along = splitAxis(site, x);
    if (kept.count(x.axes[along]!) === x.axes[along]!.size) return undefined;
    const sizes = site.outputs.map((y) => kept.count(y!.axes[along]!));
    if (site.opset < 13) return { attributes: { split: ints(sizes) } };
    return { attributes: { num_outputs: undefined }, numbers: new Map([[1, sizes]]) };
  },
};

interface Bounds {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

/** What each sliced axis begins at and ends before, from 0; undefined when a bound is computed at run time. */
function boundsOf(site: Site, x: Port): readonly Bounds[] | undefined {
  const old = site.opset < 10;
  const starts = old ? intsOf(site.node, 'starts', []) : site.numbers(1);
  const stops = old ? intsOf(site.node, 'ends', []) : site.numbers(2);
  const axes = old
    ? intsOf(site.node, 'axes', undefined)
    : site.node.inputs[3] === undefined
      ? undefined
      : (site.numbers(3) ?? null);
  const steps = old || site.node.inputs[4] === undefined ? undefined : (site.numbers(4) ?? null);
  if (!starts || !stops || axes === null || steps === null) return undefined;
  return starts.map((start, i) => {
    const axis = axisAt(axes?.[i] ?? i, x.shape.length);
    const size = x.shape[axis]!;
    const step = steps?.[i] ?? 1;
    const clamp = (bound: number, low: number, high: number) =>
      Math.min(Math.max(bound < 0 ? bound + size : bound, low), high);
    return step > 0
      ? { axis, start: clamp(start, 0, size), end: clamp(stops[i]!, 0, size), step }
      : { axis, start: clamp(start, 0, size - 1), end: clamp(stops[i]!, -1, size - 1), step };
  });
}

const slice: AxisRule = {
  relate(site) {
    const found = ends(site);
    if (!found) return;
    const { x, y } = found;
    const bounds = boundsOf(site, x);
    if (!bounds) return site.pinAll('its bounds are computed at run time');
    x.axes.forEach((axis, i) => {
      const cut = bounds.find((each) => each.axis === i);
      const to = y.axes[i]!;
      if (!cut) {
        site.same(axis, to);
        return;
      }
      site.run(axis, to, { fromA: cut.start, stepA: cut.step, count: to.size });
      // With other steps what is left has no equal distances: only whole axes could go.
      if (cut.step !== 1) site.pin(axis, 'it is sliced with a step');
    });
  },
  rewrite(site, kept) {
    const x = site.inputs[0]!; // related before
    const bounds = boundsOf(site, x)!;
    const changed = bounds.some(({ axis }) => kept.count(x.axes[axis]!) !== x.axes[axis]!.size);
    if (!changed) return undefined;
    const old = site.opset < 10;
    const [starts, stops] = old
      ? [intsOf(site.node, 'starts', []), intsOf(site.node, 'ends', [])]
      : [site.numbers(1)!, site.numbers(2)!];
    const at = (bound: number, i: number, index: number): number => {
      const axis = x.axes[bounds[i]!.axis]!;
      return kept.count(axis) === axis.size ? bound : kept.before(axis, index);
    };
    const from = starts.map((start, i) => at(start, i, bounds[i]!.start));
    const to = stops.map((stop, i) => at(stop, i, bounds[i]!.end));
    if (old) return { attributes: { starts: ints(from), ends: ints(to) } };
    return {
      numbers: new Map([
        [1, from],
        [2, to],
      ]),
    };
  },
};

const gather: AxisRule = {
  relate(site) {
    const found = ends(site);
    const indices = site.inputs[1];
    if (!found || !indices) return site.pinAll('its shapes are not known');
    const { x, y } = found;
    const along = axisAt(intOf(site.node, 'axis', 0), x.shape.length);
    const extra = indices.shape.length - 1;
    x.axes.forEach((axis, i) => {
      if (i !== along) site.same(axis, y.axes[i < along ? i : i + extra]!);
    });
    const chosen = site.numbers(1);
    const axis = x.axes[along]!;
    if (chosen && indices.shape.length === 1) site.map(y.axes[along]!, axis, (i) => axisAt(chosen[i]!, axis.size));
    else site.pin(axis, chosen ? 'one of its entries is picked' : 'its entries are picked at run time');
    indices.axes.forEach((each, i) => {
      const to = y.axes[along + i]!;
      if (chosen) site.role(indices, i, 'keeps');
      else site.same(each, to);
    });
  },
  rewrite(site, kept) {
    const x = site.inputs[0]!; // related before
    const axis = x.axes[axisAt(intOf(site.node, 'axis', 0), x.shape.length)]!;
    const chosen = site.numbers(1);
    if (kept.count(axis) === axis.size || !chosen) return undefined;
    const left = kept.indices(site.outputs[0]!.axes[axisAt(intOf(site.node, 'axis', 0), x.shape.length)]!);
    return { numbers: new Map([[1, left.map((i) => kept.before(axis, axisAt(chosen[i]!, axis.size)))]]) };
  },
};

interface Padding {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

function paddingOf(site: Site, x: Port): Padding | undefined {
  const rank = x.shape.length;
  const written = site.opset < 11 ? intsOf(site.node, 'pads', []) : site.numbers(1);
  const axes = site.node.inputs[3] === undefined ? x.axes.map((_, i) => i) : site.numbers(3);
  if (!written || !axes) return undefined;
  const before = new Array<number>(rank).fill(0);
  const after = new Array<number>(rank).fill(0);
  axes.forEach((axis, i) => {
    before[axisAt(axis, rank)] = written[i]!;
    after[axisAt(axis, rank)] = written[i + axes.length]!;
  });
  return { before, after };
}

const padsWithZeros = (site: Site): boolean => {
  const mode = site.node.attributes.get('mode');
  if (mode?.kind === 'text' && mode.value !== 'constant') return false;
  if (site.opset < 11) {
    const value = site.node.attributes.get('value');
    return value?.kind !== 'float' || value.value === 0;
  }
  if (site.node.inputs[2] === undefined) return true;
  const value = site.inputs[2]?.constant;
  return value !== undefined && Array.from(value.data as ArrayLike<number>, Number).every((each) => each === 0);
};

const pad: AxisRule = {
  relate(site) {
    const found = ends(site);
    if (!found) return;
    const { x, y } = found;
    const padding = paddingOf(site, x);
    if (!padding) return site.pinAll('its padding is computed at run time');
    x.axes.forEach((axis, i) => {
      const [low, high] = [padding.before[i]!, padding.after[i]!];
      if (low === 0 && high === 0) site.same(axis, y.axes[i]!);
      else if (low < 0 || high < 0 || !padsWithZeros(site)) {
        site.pin(axis, 'it is padded with other values than zeros');
        site.pin(y.axes[i]!, 'it is padded with other values than zeros');
      } else site.run(axis, y.axes[i]!, { fromB: low, count: axis.size });
    });
  },
  rewrite(site, kept) {
    const x = site.inputs[0]!; // related before
    const y = site.outputs[0]!;
    const { before, after } = paddingOf(site, x)!;
    const low = before.map((each, i) =>
      kept.count(y.axes[i]!) === y.axes[i]!.size ? each : kept.before(y.axes[i]!, each),
    );
    const high = after.map((each, i) => {
      const axis = y.axes[i]!;
      return kept.count(axis) === axis.size ? each : kept.count(axis) - kept.before(axis, axis.size - each);
    });
    if (site.opset < 11) return { attributes: { pads: ints([...low, ...high]) } };
    const numbers = new Map<number, readonly number[] | undefined>([[1, [...low, ...high]]]);
    if (site.node.inputs[3] !== undefined) numbers.set(3, undefined);
    return { numbers };
  },
};

/** New sizes of an output, where some of them changed. */
const sizesAfter = (site: Site, kept: Kept, written: readonly number[]): readonly number[] => {
  const axes = site.outputs[0]!.axes.slice(-written.length);
  return written.map((each, i) =>
    kept.count(axes[i]!) === axes[i]!.size || each === -1 ? each : kept.count(axes[i]!),
  );
};

const expand: AxisRule = {
  relate(site) {
    const found = ends(site);
    if (!found) return;
    if (!site.numbers(1)) return site.pinAll('its target shape is computed at run time');
    const { x, y } = found;
    const shift = y.shape.length - x.shape.length;
    y.axes.forEach((axis, i) => {
      const from = x.axes[i - shift];
      if (from?.size === axis.size) site.same(from, axis);
      else site.pin(axis, 'it repeats one entry');
    });
  },
  rewrite: (site, kept): Edit => ({
    numbers: new Map([[1, site.numbers(1)!.map((each, i, all) => (each === 1 ? 1 : sizesAfter(site, kept, all)[i]!))]]),
  }),
};

const tile: AxisRule = {
  relate(site) {
    const found = ends(site);
    if (!found) return;
    found.x.axes.forEach((axis, i) => {
      const to = found.y.axes[i]!;
      if (site.numbers(1)?.[i] === 1) site.same(axis, to);
      else for (const each of [axis, to]) site.pin(each, 'its entries are repeated');
    });
  },
};

const resize: AxisRule = {
  relate(site) {
    const found = ends(site);
    if (!found) return;
    if (site.node.inputs[3] !== undefined && !site.numbers(3)) return site.pinAll('its sizes are computed at run time');
    found.x.axes.forEach((axis, i) => {
      const to = found.y.axes[i]!;
      if (i < 2 && axis.size === to.size) site.same(axis, to);
      else for (const each of [axis, to]) site.pin(each, 'it is resized');
    });
  },
  rewrite(site, kept) {
    const sizes = site.numbers(3);
    if (!sizes?.length || site.node.attributes.has('axes')) return undefined;
    return { numbers: new Map([[3, sizesAfter(site, kept, sizes)]]) };
  },
};

/** Ops that move elements. */
export const movementRules = {
  Transpose: transpose,
  Concat: concat,
  Split: split,
  Slice: slice,
  Gather: gather,
  Pad: pad,
  Expand: expand,
  Tile: tile,
  Resize: resize,
  Upsample: resize,
} as const satisfies Record<string, AxisRule>;
