import { intOf } from '@espalier/core';
import { type AxisRule, type AxisSite, axisAt } from '../axis-rule.js';

/** Scales and zero points are one number, or one per index of an axis: transparent for whatever is cut. */
function scaled(site: AxisSite, slots: readonly number[]): void {
  const [x, y] = [site.inputs[0], site.outputs[0]];
  if (!x || !y) {
    site.pinAll('its shapes are not known');
    return;
  }
  x.axes.forEach((axis, i) => {
    site.same(axis, y.axes[i]!);
  });
  const along = axisAt(intOf(site.node, 'axis', 1), x.shape.length);
  for (const slot of slots) {
    const port = site.inputs[slot];
    if (!port || port.shape.length === 0) continue;
    port.axes.forEach((_, i) => {
      site.role(port, i, 'keeps');
    });
    const axis = port.axes[0]!;
    if (port.shape.length === 1 && axis.size === x.axes[along]?.size) site.same(axis, x.axes[along]!);
    else if (port.shape.length > 1) site.pinAll('its scales belong to blocks');
  }
}

const quantize: AxisRule = { relate: (site) => scaled(site, [1, 2]) };

/** Quantizer nodes. */
export const quantizeRules = {
  DequantizeLinear: quantize,
  QuantizeLinear: quantize,
  'com.microsoft::DequantizeLinear': quantize,
  'com.microsoft::QuantizeLinear': quantize,
  'espalier::FakeQuantize': quantize,
} as const satisfies Record<string, AxisRule>;
