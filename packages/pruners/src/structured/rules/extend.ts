import { ints, intsOf } from '@espalier/core';
import { type AxisRule, axisAt, type Edit, type Kept, type Port, type Site } from '../axis-rule.js';
import { ends } from './ends.js';

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

/** Ops that make values larger. */
export const extendRules = {
  Expand: expand,
  Pad: pad,
  Resize: resize,
  Tile: tile,
  Upsample: resize,
} as const satisfies Record<string, AxisRule>;
