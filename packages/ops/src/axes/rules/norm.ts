import { type AxisPort, type AxisRule, type AxisSite, int, intOf, type Node } from '@espalier/core';
import { axisAt } from '../axis-at.js';
import { pinOthers } from './heads.js';

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

/** The differences between the forms of a group norm. */
interface GroupNormForm {
  /** Name of the attribute with the number of groups. */
  readonly groups: string;
  readonly channelsLast: (node: Node) => boolean;
  /** Slots of scale, shift and the like: one number per channel, or per group. */
  readonly vectors: readonly number[];
  /** Slot of a value that is added before, and of the output with the sum. */
  readonly skip?: { readonly input: number; readonly output: number };
}

/**
 * Mean and variance per group of channels: whole groups go, and leave the others as they are. The channels of a
 * single group are normalised together.
 */
const groupNorm = ({ groups: name, channelsLast, vectors, skip }: GroupNormForm): AxisRule => ({
  relate(site) {
    const x = through(site);
    if (!x) return;
    const channels = channelsLast(site.node) ? x.axes.at(-1)! : x.axes[1]!;
    const groups = intOf(site.node, name, 1);
    const each = channels.size / groups;
    if (groups > 1) site.tie(channels, (i) => Math.floor(i / each));
    else site.mark(channels, 'statistics');
    for (const axis of x.axes.slice(1)) if (axis !== channels) site.pin(axis, 'it is normalised over all of it');
    for (const slot of vectors) {
      const axis = site.inputs[slot]?.axes.at(-1);
      if (axis) site.map(channels, axis, (i) => (axis.size === channels.size ? i : Math.floor(i / each)));
    }
    const added = skip && site.inputs[skip.input];
    if (added?.axes.length === x.axes.length) aligned(site, added, x);
    else if (added) site.same(added.axes.at(-1)!, channels);
    const sum = skip && site.outputs[skip.output];
    if (sum) aligned(site, sum, x);
  },
  rewrite(site, kept) {
    const x = site.inputs[0]!; // related before
    const channels = channelsLast(site.node) ? x.axes.at(-1)! : x.axes[1]!;
    const groups = intOf(site.node, name, 1);
    if (groups === 1 || kept.count(channels) === channels.size) return undefined;
    return { attributes: { [name]: int((groups * kept.count(channels)) / channels.size) } };
  },
});

const contribChannelsLast = (node: Node): boolean => intOf(node, 'channels_last', 1) === 1;

/** Tables of words, positions and segments, added up and normalised over their columns. */
const embedLayerNorm: AxisRule = {
  relate(site) {
    const y = site.outputs[0];
    const tables = site.inputs.slice(2, 7);
    if (!y || !tables[0]) return site.pinAll('its shapes are not known');
    const columns = y.axes[2]!;
    site.mark(columns, 'statistics');
    for (const table of tables) if (table) site.same(table.axes.at(-1)!, columns);
    const sum = site.outputs[2];
    if (sum) site.same(sum.axes[2]!, columns);
    const but = new Set([columns, ...[...tables, sum].flatMap((port) => port?.axes.at(-1) ?? [])]);
    pinOthers(site, [...site.inputs, ...site.outputs], { but, reason: 'its entries are picked at run time' });
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
  GroupNormalization: groupNorm({ groups: 'num_groups', channelsLast: () => false, vectors: [1, 2] }),
  InstanceNormalization: instanceNorm,
  LayerNormalization: layerNorm,
  MeanVarianceNormalization: meanVariance,
  RMSNormalization: layerNorm,
  SimplifiedLayerNormalization: layerNorm,
  'com.microsoft::EmbedLayerNormalization': embedLayerNorm,
  'com.microsoft::GroupNorm': groupNorm({ groups: 'groups', channelsLast: contribChannelsLast, vectors: [1, 2] }),
  'com.microsoft::SkipGroupNorm': groupNorm({
    groups: 'groups',
    channelsLast: contribChannelsLast,
    vectors: [1, 2, 4],
    skip: { input: 3, output: 1 },
  }),
  'com.microsoft::SkipLayerNormalization': skipLayerNorm,
  'com.microsoft::SkipSimplifiedLayerNormalization': skipLayerNorm,
} as const satisfies Record<string, AxisRule>;
