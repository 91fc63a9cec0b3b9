import {
  type AxisPort,
  type AxisRule,
  type AxisSite,
  type Edit,
  ints,
  intsOf,
  type Kept,
  type Tensor,
  tensorOf,
} from '@espalier/core';
import { axisAt } from '../axis-at.js';
import { ends } from './ends.js';

/** Entries that are computed at run time are undefined. */
interface Padding {
  readonly before: readonly (number | undefined)[];
  readonly after: readonly (number | undefined)[];
}

function paddingOf(site: AxisSite, x: AxisPort): Padding | undefined {
  const rank = x.shape.length;
  const written = site.opset < 11 ? intsOf(site.node, 'pads', []) : site.entries(1);
  const axes = site.node.inputs[3] === undefined ? x.axes.map((_, i) => i) : site.numbers(3);
  if (!written || !axes) return undefined;
  const before = new Array<number | undefined>(rank).fill(0);
  const after = new Array<number | undefined>(rank).fill(0);
  axes.forEach((axis, i) => {
    before[axisAt(axis, rank)] = written[i];
    after[axisAt(axis, rank)] = written[i + axes.length];
  });
  return { before, after };
}

const padsWithZeros = (site: AxisSite): boolean => {
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
      const [low, high] = [padding.before[i], padding.after[i]];
      if (low === 0 && high === 0) site.same(axis, y.axes[i]!);
      else if (low === undefined || high === undefined) {
        for (const each of [axis, y.axes[i]!]) site.pin(each, 'its padding is computed at run time');
      } else if (low < 0 || high < 0 || !padsWithZeros(site)) {
        site.pin(axis, 'it is padded with other values than zeros');
        site.pin(y.axes[i]!, 'it is padded with other values than zeros');
      } else site.run(axis, y.axes[i]!, { fromB: low, count: axis.size });
    });
  },
  rewrite(site, kept) {
    const x = site.inputs[0]!; // related before
    const y = site.outputs[0]!;
    const { before, after } = paddingOf(site, x)!;
    const changed = (i: number) => kept.count(y.axes[i]!) !== y.axes[i]!.size;
    if (!y.axes.some((_, i) => changed(i) && (before[i] !== 0 || after[i] !== 0))) return undefined;
    const low = before.map((each, i) => (changed(i) && each !== undefined ? kept.before(y.axes[i]!, each) : each));
    const high = after.map((each, i) => {
      const axis = y.axes[i]!;
      return changed(i) && each !== undefined ? kept.count(axis) - kept.before(axis, axis.size - each) : each;
    });
    const pads = [...low, ...high];
    const known = pads.flatMap((each) => each ?? []);
    if (site.opset < 11) return { attributes: { pads: ints(known) } };
    if (known.length === pads.length) {
      const numbers = new Map<number, readonly number[] | undefined>([[1, known]]);
      if (site.node.inputs[3] !== undefined) numbers.set(3, undefined);
      return { numbers };
    }
    const axes = site.node.inputs[3] === undefined ? x.axes.map((_, i) => i) : site.numbers(3)!;
    const places = axes.flatMap((axis, i) => {
      const at = axisAt(axis, x.shape.length);
      return changed(at)
        ? ([
            [i, low[at]!],
            [i + axes.length, high[at]!],
          ] as const)
        : []; // a padded axis that is cut is known
    });
    return { entries: new Map([[1, new Map(places)]]) };
  },
};

/** Where an input of sizes names those of the last axes of the output: what must be written where they changed. */
function sizesAfter(site: AxisSite, kept: Kept, slot: number): Edit | undefined {
  const written = site.entries(slot)!; // related before
  const y = site.outputs[0]!;
  const shift = y.axes.length - written.length;
  const places = new Map<number, number>();
  written.forEach((each, i) => {
    const axis = y.axes[i + shift]!;
    if (kept.count(axis) !== axis.size && each !== 1 && each !== -1) places.set(i, kept.count(axis));
  });
  if (places.size === 0) return undefined;
  if (written.some((each) => each === undefined)) return { entries: new Map([[slot, places]]) };
  return { numbers: new Map([[slot, written.map((each, i) => places.get(i) ?? each!)]]) };
}

/** Sizes that are computed at run time cannot be rewritten if the inferred shape does not show them either. */
function pinUnwritable(site: AxisSite, y: AxisPort, slot: number): void {
  const written = site.entries(slot) ?? [];
  const shift = y.axes.length - written.length;
  written.forEach((each, i) => {
    if (each === undefined && typeof y.dims[i + shift] !== 'number') {
      site.pin(y.axes[i + shift]!, 'its size is computed at run time');
    }
  });
}

const expand: AxisRule = {
  relate(site) {
    const found = ends(site);
    if (!found) return;
    if (!site.entries(1)) return site.pinAll('its target shape is computed at run time');
    const { x, y } = found;
    const shift = y.shape.length - x.shape.length;
    y.axes.forEach((axis, i) => {
      const from = x.axes[i - shift];
      if (from && x.dims[i - shift] === y.dims[i]) site.same(from, axis);
      else for (const each of from ? [from, axis] : [axis]) site.pin(each, 'it repeats one entry');
    });
    pinUnwritable(site, y, 1);
  },
  rewrite: (site, kept) => sizesAfter(site, kept, 1),
};

const tile: AxisRule = {
  relate(site) {
    const found = ends(site);
    if (!found) return;
    const { x, y } = found;
    x.axes.forEach((axis, i) => {
      const to = y.axes[i]!;
      if (x.dims[i] === y.dims[i]) site.same(axis, to);
      else for (const each of [axis, to]) site.pin(each, 'its entries are repeated');
    });
  },
};

const resize: AxisRule = {
  relate(site) {
    const found = ends(site);
    if (!found) return;
    const { x, y } = found;
    x.axes.forEach((axis, i) => {
      const to = y.axes[i]!;
      if (i < 2 && x.dims[i] === y.dims[i]) site.same(axis, to);
      else for (const each of [axis, to]) site.pin(each, 'it is resized');
    });
    if (site.node.inputs[3] !== undefined) pinUnwritable(site, y, 3);
  },
  rewrite(site, kept) {
    const sizes = site.node.inputs[3] === undefined ? undefined : site.entries(3);
    if (!sizes?.length || site.node.attributes.has('axes')) return undefined;
    return sizesAfter(site, kept, 3);
  },
};

const nothing = (value: Tensor | undefined): boolean =>
  value === undefined || Array.from(value.data as ArrayLike<number | bigint>, Number).every((each) => each === 0);

/** As many zeros as anybody wants; other numbers would have to go with a unit, and no mask reaches them. */
const constantOfShape: AxisRule = {
  relate(site) {
    const y = site.outputs[0];
    if (!y || !site.entries(0)) return site.pinAll('its shape is computed at run time');
    if (!nothing(tensorOf(site.node, 'value', undefined))) return site.pinAll('it holds other numbers than zeros');
    pinUnwritable(site, y, 0);
  },
  rewrite: (site, kept) => sizesAfter(site, kept, 0),
};

/** Ops that make values larger. */
export const extendRules = {
  ConstantOfShape: constantOfShape,
  Expand: expand,
  Pad: pad,
  Resize: resize,
  Tile: tile,
  Upsample: resize,
} as const satisfies Record<string, AxisRule>;
