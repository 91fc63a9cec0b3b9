import type { Axis, AxisRule, AxisSite, Edit } from '@espalier/core';

/** Input and output in the same order of elements. */
const regroup = (site: AxisSite): void => {
  const [x, y] = [site.inputs[0], site.outputs[0]];
  if (!x || !y) site.pinAll('its shapes are not known');
  else site.reshape(x.axes, y.axes);
};

const reshape: AxisRule = {
  relate(site) {
    const y = site.outputs[0];
    const target = site.entries(1);
    if (!target || !y) return site.pinAll('its target shape is computed at run time');
    regroup(site);
    target.forEach((each, i) => {
      if (each === undefined && typeof y.dims[i] !== 'number') site.pin(y.axes[i]!, 'its size is computed at run time');
    });
  },
  // -1 stays, 0 stays while it still copies the right size.
  rewrite(site, kept): Edit | undefined {
    const [x, y] = [site.inputs[0]!, site.outputs[0]!]; // related before
    const target = site.entries(1)!;
    const places = new Map<number, number>();
    target.forEach((each, i) => {
      const axis = y.axes[i]!;
      if (each === -1) return;
      const copied = each === 0 ? x.axes[i] : undefined;
      if (copied ? kept.count(copied) !== kept.count(axis) : kept.count(axis) !== axis.size) {
        places.set(i, kept.count(axis));
      }
    });
    if (places.size === 0) return undefined;
    if (target.some((each) => each === undefined)) return { entries: new Map([[1, places]]) };
    return { numbers: new Map([[1, target.map((each, i) => places.get(i) ?? each!)]]) };
  },
};

// [N, C, H, W] with C as (block, block, c) or (c, block, block), and H·block as (H, block).
const depthToSpace: AxisRule = {
  relate(site) {
    const [x, y] = [site.inputs[0], site.outputs[0]];
    if (x?.axes.length !== 4 || y?.axes.length !== 4) return site.pinAll('its shapes are not known');
    const [deep, flat] = [x.axes[1]!, y.axes[1]!];
    const mode = site.node.attributes.get('mode');
    const last = mode?.kind === 'text' && mode.value === 'CRD';
    const area = deep.size / flat.size;
    site.same(x.axes[0]!, y.axes[0]!);
    site.map(deep, flat, (i) => (last ? Math.floor(i / area) : i % flat.size));
    spatial(site);
  },
};

// The output's channels are (block, block, c).
const spaceToDepth: AxisRule = {
  relate(site) {
    const [x, y] = [site.inputs[0], site.outputs[0]];
    if (x?.axes.length !== 4 || y?.axes.length !== 4) return site.pinAll('its shapes are not known');
    site.same(x.axes[0]!, y.axes[0]!);
    site.map(y.axes[1]!, x.axes[1]!, (i) => i % x.axes[1]!.size);
    spatial(site);
  },
};

function spatial(site: AxisSite): void {
  const axes: readonly Axis[] = [site.inputs[0]!, site.outputs[0]!].flatMap((port) => port.axes.slice(2));
  for (const axis of axes) site.pin(axis, 'blocks of pixels become channels');
}

/** Ops that keep the elements and their order, and those between depth and space. */
export const reshapeRules = {
  Reshape: reshape,
  Flatten: { relate: regroup },
  Squeeze: { relate: regroup },
  Unsqueeze: { relate: regroup },
  'com.microsoft::ExpandDims': { relate: regroup },
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
} as const satisfies Record<string, AxisRule>;
