import { definePlugin } from '@espalier/core';

/** @import { AxisRule } from '@espalier/core' */

/**
 * `acme::Dense(x [N, I], w [O, I]) -> y [N, O]`: y = x wᵀ.
 * @type {AxisRule}
 */
const rule = {
  relate(site) {
    const [x, w] = site.inputs;
    const [y] = site.outputs;
    if (!x || !w || !y) return;
    site.same(x.axes[0], y.axes[0]);
    site.same(w.axes[0], y.axes[1]);
    site.same(x.axes[1], w.axes[1]);
    // This one line makes `w` a weight: every output sums over its second axis.
    site.role(w, 1, 'sums');
  },
};

/** How the axes of `acme::Dense` relate. */
export const dense = definePlugin({
  kind: 'axes',
  id: 'acme::Dense',
  about: 'A layer with a row of weights for each output.',
  options: {},
  create: () => rule,
});
