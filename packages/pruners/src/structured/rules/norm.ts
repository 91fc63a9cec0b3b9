import { intOf } from '@espalier/core';
import { type AxisPort, type AxisRule, type AxisSite, axisAt } from '../axis-rule.js';

const through = (site: AxisSite): AxisPort | undefined => {
  const [x, y] = [site.inputs[0], site.outputs[0]];
  if (!x || !y) {
    site.pinAll('its shapes are not known');
    return undefined;
  }
  x.axes.forEach((axis, i) => {
    site.same(axis, y.axes[i]!);
  });
  return x;
};

/** Scale, shift, mean and variance per channel: masking zeroes the first two. */
const batchNorm: AxisRule = {
  relate(site) {
    const x = through(site);
    if (!x) return;
    for (let slot = 1; slot < site.inputs.length; slot++) {
      const each = site.inputs[slot];
      if (!each) continue;
      site.same(each.axes[0]!, x.axes[1]!);
      if (slot > 2) site.role(each, 0, 'keeps');
    }
    for (const output of site.outputs.slice(1)) if (output) site.same(output.axes[0]!, x.axes[1]!);
  },
};

const instanceNorm: AxisRule = {
  relate(site) {
    const x = through(site);
    if (!x) return;
    for (const each of site.inputs.slice(1)) if (each) site.same(each.axes[0]!, x.axes[1]!);
    for (const axis of x.axes.slice(2)) site.pin(axis, 'it is normalised over all of it');
  },
};

/** Mean and variance over the axes from `axis` on. */
const layerNorm: AxisRule = {
  relate(site) {
    const x = through(site);
    if (!x) return;
    const from = axisAt(intOf(site.node, 'axis', -1), x.shape.length);
    for (const axis of x.axes.slice(from)) site.mark(axis, 'statistics');
    for (const each of site.inputs.slice(1)) aligned(site, each, x);
    x.axes.slice(0, from).forEach((axis, i) => {
      for (const output of site.outputs.slice(1)) if (output) site.same(axis, output.axes[i]!);
    });
  },
};

function aligned(site: AxisSite, port: AxisPort | undefined, x: AxisPort): void {
  if (!port) return;
  const shift = x.shape.length - port.shape.length;
  port.axes.forEach((axis, i) => {
    const to = x.axes[i + shift]!;
    if (axis.size === to.size) site.same(axis, to);
  });
}

/** Input, skip connection, scale, shift and bias: the sum of the first two, normalised over the last axis. */
const skipLayerNorm: AxisRule = {
  relate(site) {
    const x = through(site);
    if (!x) return;
    site.mark(x.axes.at(-1)!, 'statistics');
    for (const each of site.inputs.slice(1)) aligned(site, each, x);
    const sum = site.outputs[3];
    if (sum) aligned(site, sum, x);
    for (const output of site.outputs.slice(1, 3))
      if (output) for (const axis of output.axes) site.pin(axis, 'it holds statistics');
  },
};

/** Mean and variance per group of channels: every group must lose the same ones. */
const groupNorm: AxisRule = {
  relate(site) {
    const x = through(site);
    if (!x) return;
    const channels = x.axes[1]!;
    const groups = intOf(site.node, 'num_groups', 1);
    const each = channels.size / groups;
    site.mark(channels, 'statistics');
    if (groups > 1) site.tie(channels, (i) => i % each);
    for (const axis of x.axes.slice(2)) site.pin(axis, 'it is normalised over all of it');
    for (const port of site.inputs.slice(1)) {
      if (!port) continue;
      if (port.shape[0] === channels.size) site.same(port.axes[0]!, channels);
      else site.pin(port.axes[0]!, 'it holds one number per group of channels');
    }
  },
};

const meanVariance: AxisRule = {
  relate(site) {
    const x = through(site);
    if (!x) return;
    const axes = site.node.attributes.get('axes');
    const over = axes?.kind === 'ints' ? axes.value : [0, 2, 3];
    for (const axis of over) site.mark(x.axes[axisAt(axis, x.shape.length)]!, 'statistics');
  },
};

/** Normalisations. */
export const normRules = {
  BatchNormalization: batchNorm,
  GroupNormalization: groupNorm,
  InstanceNormalization: instanceNorm,
  LayerNormalization: layerNorm,
  MeanVarianceNormalization: meanVariance,
  RMSNormalization: layerNorm,
  SimplifiedLayerNormalization: layerNorm,
  'com.microsoft::SkipLayerNormalization': skipLayerNorm,
  'com.microsoft::SkipSimplifiedLayerNormalization': skipLayerNorm,
} as const satisfies Record<string, AxisRule>;
