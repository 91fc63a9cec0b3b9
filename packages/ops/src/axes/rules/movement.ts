import { type AxisPort, type AxisRule, type AxisSite, intOf, ints, intsOf } from '@espalier/core';
import { axisAt } from '../axis-at.js';
import { ends } from './ends.js';

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
    for (const x of site.inputs as readonly AxisPort[]) {
      x.axes.forEach((axis, i) => {
        if (i === along) site.run(axis, y.axes[i]!, { fromB: offset, count: axis.size });
        else site.same(axis, y.axes[i]!);
      });
      offset += x.shape[along]!;
    }
  },
};

const splitAxis = (site: AxisSite, x: AxisPort): number => axisAt(intOf(site.node, 'axis', 0), x.shape.length);

const split: AxisRule = {
  relate(site) {
    const x = site.inputs[0];
    if (!x || site.outputs.some((each) => !each)) return site.pinAll('its shapes are not known');
    const along = splitAxis(site, x);
    if (site.outputs.some((y) => typeof y!.dims[along] !== 'number')) {
      for (const port of [x, ...site.outputs]) site.pin(port!.axes[along]!, 'its parts are computed at run time');
    }
    let offset = 0;
    for (const y of site.outputs as readonly AxisPort[]) {
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

/** The first index of each sliced axis and the one after the last, from 0; undefined if a bound is computed at run time. */
function boundsOf(site: AxisSite, x: AxisPort): readonly Bounds[] | undefined {
  const axes = slicedAxes(site, x);
  const old = site.opset < 10;
  const starts = old ? intsOf(site.node, 'starts', []) : site.numbers(1);
  const stops = old ? intsOf(site.node, 'ends', []) : site.numbers(2);
  const steps = old || site.node.inputs[4] === undefined ? undefined : (site.numbers(4) ?? null);
  if (!axes || !starts || !stops || steps === null) return undefined;
  return starts.map((start, i) => {
    const axis = axes[i]!;
    const size = x.shape[axis]!;
    const step = steps?.[i] ?? 1;
    const clamp = (bound: number, low: number, high: number) =>
      Math.min(Math.max(bound < 0 ? bound + size : bound, low), high);
    return step > 0
      ? { axis, start: clamp(start, 0, size), end: clamp(stops[i]!, 0, size), step }
      : { axis, start: clamp(start, 0, size - 1), end: clamp(stops[i]!, -1, size - 1), step };
  });
}

/** The axes that are sliced, from 0; undefined when not even those are known. */
function slicedAxes(site: AxisSite, x: AxisPort): readonly number[] | undefined {
  const rank = x.shape.length;
  if (site.opset < 10) {
    const count = intsOf(site.node, 'starts', []).length;
    return (intsOf(site.node, 'axes', undefined) ?? x.axes.slice(0, count).map((_, i) => i)).map((axis) =>
      axisAt(axis, rank),
    );
  }
  if (site.node.inputs[3] !== undefined) return site.numbers(3)?.map((axis) => axisAt(axis, rank));
  return site.entries(1)?.map((_, i) => i);
}

const slice: AxisRule = {
  relate(site) {
    const found = ends(site);
    if (!found) return;
    const { x, y } = found;
    const axes = slicedAxes(site, x);
    if (!axes) return site.pinAll('its axes are computed at run time');
    const bounds = boundsOf(site, x);
    x.axes.forEach((axis, i) => {
      const to = y.axes[i]!;
      const cut = bounds?.find((each) => each.axis === i);
      if (!axes.includes(i)) site.same(axis, to);
      else if (!cut || typeof x.dims[i] !== 'number') {
        // A part of an axis of any length: what is whole stays whole.
        if (cut && x.dims[i] === y.dims[i] && cut.step === 1) site.same(axis, to);
        else for (const each of [axis, to]) site.pin(each, 'its bounds are computed at run time');
      } else {
        site.run(axis, to, { fromA: cut.start, stepA: cut.step, count: to.size });
        // With other steps what is left has no equal distances: only whole axes could go.
        if (cut.step !== 1) site.pin(axis, 'it is sliced with a step');
      }
    });
  },
  rewrite(site, kept) {
    const x = site.inputs[0]!; // related before
    const bounds = boundsOf(site, x);
    const changed = bounds?.some(({ axis }) => kept.count(x.axes[axis]!) !== x.axes[axis]!.size);
    if (!bounds || !changed) return undefined;
    const old = site.opset < 10;
    const [starts, stops] = old
      ? [intsOf(site.node, 'starts', []), intsOf(site.node, 'ends', [])]
      : [site.numbers(1)!, site.numbers(2)!];
    const at = (bound: number, i: number, index: number): number => {
      const axis = x.axes[bounds[i]!.axis]!;
      const whole = kept.count(axis) === axis.size || typeof x.dims[bounds[i]!.axis] !== 'number';
      return whole ? bound : kept.before(axis, index);
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

/** Ops that move elements. */
export const movementRules = {
  Transpose: transpose,
  Concat: concat,
  Split: split,
  Slice: slice,
  Gather: gather,
} as const satisfies Record<string, AxisRule>;
