import { definePlugin, int } from '@espalier/core';

/** @import { AxisRule } from '@espalier/core' */

/**
 * `acme::ChannelGate(x [N, C, ...], gate [G]) -> y [N, C, ...]`: each run of `channels / G` neighbouring channels is
 * multiplied by one number; the attribute `channels` repeats C.
 * @type {AxisRule}
 */
const rule = {
  relate(site) {
    const [x, gate] = site.inputs;
    const [y] = site.outputs;
    if (!x || !gate || !y) return;
    x.axes.forEach((axis, i) => {
      site.same(axis, y.axes[i]);
    });
    const [channels, groups] = [x.axes[1], gate.axes[0]];
    const each = channels.size / groups.size;
    // A group of channels goes as a whole, with its number.
    site.map(channels, groups, (i) => Math.floor(i / each));
  },
  rewrite(site, kept) {
    return { attributes: { channels: int(kept.count(site.inputs[0].axes[1])) } };
  },
};

/** How the axes of `acme::ChannelGate` relate. */
export const channelGate = definePlugin({
  kind: 'axes',
  id: 'acme::ChannelGate',
  about: 'Groups of channels go with the number that they are multiplied by.',
  options: {},
  create: () => rule,
});
