import type { AxisRule, AxisSite } from '@espalier/core';
import { channelsSecond } from './conv.js';

/** Windows over the spatial axes: each channel for itself. */
export const poolOf = (channelsLast: (site: AxisSite) => boolean): AxisRule => ({
  relate(site) {
    const x = site.inputs[0];
    if (!x) return site.pinAll('its shapes are not known');
    const last = channelsLast(site);
    for (const y of site.outputs) {
      if (!y) continue;
      const to = channelsSecond(y, last);
      channelsSecond(x, last).forEach((axis, i) => {
        if (i < 2) site.same(axis, to[i]!);
        else for (const each of [axis, to[i]!]) site.pin(each, 'it is a spatial axis of a pool');
      });
    }
  },
});

const pool = poolOf(() => false);

/** Ops with windows or grids over the spatial axes. */
export const poolRules = {
  AveragePool: pool,
  GlobalAveragePool: pool,
  GlobalLpPool: pool,
  GlobalMaxPool: pool,
  LpPool: pool,
  // The second output holds flat positions, channels included: it stays right only where no channel goes.
  MaxPool: {
    relate(site) {
      pool.relate(site);
      if (site.outputs[1]) site.pin(site.outputs[1].axes[1]!, 'it numbers positions across channels');
    },
  },
  'com.microsoft::NhwcMaxPool': poolOf(() => true),
} as const satisfies Record<string, AxisRule>;
