import { type AxisPort, type AxisRule, type AxisSite, intOf } from '@espalier/core';
import { axisAt } from '../axis-at.js';
import { broadcast, roles } from './elementwise.js';
import { ends } from './ends.js';

/** Scales and zero points are one number, one per index of an axis, or one per block of it. */
function relateScales(
  site: AxisSite,
  x: AxisPort,
  { along, last }: { readonly along: number; readonly last: number },
): void {
  const block = intOf(site.node, 'block_size', 0);
  const axis = x.axes[along];
  if (block > 0 && axis) site.tie(axis, (i) => Math.floor(i / block));
  for (const port of site.inputs.slice(1, last + 1)) {
    if (!port || port.shape.length === 0) continue;
    if (port.shape.length === 1) {
      if (axis?.size === port.shape[0]) site.same(port.axes[0]!, axis!);
      else if (port.shape[0] !== 1) site.pinAll('its scales do not fit the axis');
    } else if (block > 0 && port.shape.length === x.shape.length) {
      port.axes.forEach((each, i) => {
        if (i === along) site.map(each, axis!, (place) => place * block);
        else site.same(each, x.axes[i]!);
      });
    } else site.pinAll('its scales fit neither an axis nor blocks');
  }
}

/** Real numbers to codes and back, with scales in slots 1 to `last`: transparent for whatever is cut, and the code of zero is that of zero. */
const quantizeUpTo = (last: number): AxisRule => ({
  transparent: true,
  relate(site) {
    const found = ends(site);
    if (!found) return;
    const { x } = found;
    broadcast(site, [x]);
    for (let slot = 1; slot <= last; slot++) roles(site, slot, 'keeps');
    const along = axisAt(intOf(site.node, 'axis', 1), x.shape.length);
    relateScales(site, x, { along, last });
    if (x.constant && site.node.op.endsWith('DequantizeLinear')) {
      site.coded(x, site.inputs[2], along, intOf(site.node, 'block_size', 0));
    }
  },
});

const quantize = quantizeUpTo(2);

/** The range always holds zero, so that zeros that go do not change it. */
const dynamicQuantize: AxisRule = { relate: (site) => broadcast(site, site.inputs.slice(0, 1)) };

/** Quantizer nodes. */
export const quantizeRules = {
  DequantizeLinear: quantize,
  DynamicQuantizeLinear: dynamicQuantize,
  QuantizeLinear: quantize,
  'com.microsoft::DequantizeLinear': quantize,
  'com.microsoft::QuantizeLinear': quantize,
  'espalier::FakeQuantize': quantize,
  'espalier::ParameterizedQuantize': quantizeUpTo(3),
} as const satisfies Record<string, AxisRule>;
