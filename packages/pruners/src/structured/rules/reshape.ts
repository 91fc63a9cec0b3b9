import type { AxisRule, Edit, Kept, Site } from '../axis-rule.js';
import type { Axis } from '../axis-space.js';

/** Input and output in the same order of elements. */
const regroup = (site: Site): void => {
  const [x, y] = [site.inputs[0], site.outputs[0]];
  if (!x || !y) site.pinAll('its shapes are not known');
  else site.reshape(x.axes, y.axes);
};

/** The new whole numbers of a target shape: -1 stays, 0 stays while it still copies the right size. */
function targetAfter(site: Site, kept: Kept, target: readonly number[]): readonly number[] {
  const [x, y] = [site.inputs[0]!, site.outputs[0]!]; // rewritten after it was related
  return target.map((each, i) => {
    const axis = y.axes[i]!;
    if (each === -1) return each;
    const copied = x.axes[i];
    if (each === 0 && copied && kept.count(copied) === kept.count(axis)) return 0;
    return kept.count(axis) === axis.size ? each : kept.count(axis);
  });
}

const reshape: AxisRule = {
  relate(site) {
    if (!site.numbers(1)) return site.pinAll('its target shape is computed at run time');
    regroup(site);
  },
  rewrite: (site, kept): Edit => ({ numbers: new Map([[1, targetAfter(site, kept, site.numbers(1)!)]]) }),
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

function spatial(site: Site): void {
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
