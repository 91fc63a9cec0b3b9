import type { AxisRule } from '../axis-rule.js';

/** Windows over the spatial axes: each channel for itself. */
const pool: AxisRule = {
  relate(site) {
    const x = site.inputs[0];
    if (!x) return site.pinAll('its shapes are not known');
    for (const y of site.outputs) {
      if (!y) continue;
      x.axes.forEach((axis, i) => {
        if (i < 2) site.same(axis, y.axes[i]!);
        else for (const each of [axis, y.axes[i]!]) site.pin(each, 'it is a spatial axis of a pool');
      });
    }
  },
};

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
} as const satisfies Record<string, AxisRule>;
