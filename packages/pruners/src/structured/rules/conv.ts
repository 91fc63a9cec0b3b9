import { int, intOf } from '@espalier/core';
import type { AxisPort, AxisRule, AxisSite } from '../axis-rule.js';

interface Channels {
  readonly x: AxisPort;
  readonly w: AxisPort;
  readonly y: AxisPort;
  readonly groups: number;
  /** Input and output channels of each group. */
  readonly each: { readonly inputs: number; readonly outputs: number };
}

function channelsOf(site: AxisSite): Channels | undefined {
  const [x, w] = site.inputs;
  const y = site.outputs[0];
  const groups = intOf(site.node, 'group', 1);
  if (!x || !w || !y || x.shape.length < 3 || w.shape.length < 3) return undefined;
  return { x, w, y, groups, each: { inputs: x.shape[1]! / groups, outputs: y.shape[1]! / groups } };
}

/**
 * Whether a grouped convolution loses whole groups (depthwise ones always do), rather than the same channels of
 * every group. The finer of the two is chosen.
 */
const wholeGroups = ({ groups, each }: Channels): boolean => groups >= each.inputs;

const convolution = (transposed: boolean): AxisRule => ({
  relate(site) {
    const found = channelsOf(site);
    if (!found) return site.pinAll('its shapes are not known');
    const { x, w, y, groups, each } = found;
    site.same(x.axes[0]!, y.axes[0]!);
    const kernel = [...x.axes.slice(2), ...y.axes.slice(2), ...w.axes.slice(2)];
    for (const axis of kernel) site.pin(axis, 'it is a spatial axis of a convolution');
    for (let axis = 2; axis < w.axes.length; axis++) site.role(w, axis, 'inner');
    const bias = site.inputs[2];
    if (bias) site.same(bias.axes[0]!, y.axes[1]!);
    const [input, output] = [x.axes[1]!, y.axes[1]!];
    const [first, second] = [w.axes[0]!, w.axes[1]!];
    site.role(w, transposed ? 0 : 1, 'sums');
    if (groups === 1) {
      site.same(input, transposed ? first : second);
      site.same(output, transposed ? second : first);
      return;
    }
    // The first axis of the weight runs over all channels of one side, the second over those of one group of the other.
    const [far, near, inner] = transposed
      ? [input, output, { far: each.inputs, near: each.outputs }]
      : [output, input, { far: each.outputs, near: each.inputs }];
    site.same(first, far);
    if (wholeGroups(found)) {
      site.tie(far, (i) => Math.floor(i / inner.far));
      site.tie(near, (i) => Math.floor(i / inner.near));
      site.map(far, near, (i) => Math.floor(i / inner.far) * inner.near);
      site.role(w, 1, 'inner');
      site.pin(second, 'a grouped convolution loses whole groups');
    } else {
      site.map(near, second, (i) => i % inner.near);
      site.tie(far, (i) => i % inner.far);
    }
  },
  rewrite(site, kept) {
    const found = channelsOf(site);
    if (!found || found.groups === 1 || !wholeGroups(found)) return undefined;
    return { attributes: { group: int(kept.count(found.x.axes[1]!) / found.each.inputs) } };
  },
});

/** Convolutions. */
export const convRules = {
  Conv: convolution(false),
  ConvTranspose: convolution(true),
  'com.microsoft::FusedConv': {
    relate(site) {
      convolution(false).relate(site);
      const [sum, y] = [site.inputs[3], site.outputs[0]];
      if (sum && y)
        sum.axes.forEach((axis, i) => {
          site.same(axis, y.axes[i]!);
        });
    },
    rewrite: convolution(false).rewrite!,
  },
} as const satisfies Record<string, AxisRule>;
