import { type Axis, type AxisPort, type AxisRule, type AxisSite, int, intOf } from '@espalier/core';

/** Which inputs a kind of convolution has its operands in. */
interface ConvSlots {
  readonly x?: number;
  readonly w?: number;
  readonly bias?: number;
  readonly transposed?: boolean;
}

interface Channels {
  readonly x: AxisPort;
  readonly w: AxisPort;
  readonly y: AxisPort;
  /** Axes of input and output, channels second. */
  readonly inputs: readonly Axis[];
  readonly outputs: readonly Axis[];
  readonly groups: number;
  /** Input and output channels of each group. */
  readonly each: { readonly inputs: number; readonly outputs: number };
}

/** Batch, channels and places of a value, whichever comes last. */
export const channelsSecond = (port: AxisPort, channelsLast: boolean): readonly Axis[] =>
  channelsLast ? [port.axes[0]!, port.axes.at(-1)!, ...port.axes.slice(1, -1)] : port.axes;

function channelsOf(site: AxisSite, slots: ConvSlots): Channels | undefined {
  const [x, w] = [site.inputs[slots.x ?? 0], site.inputs[slots.w ?? 1]];
  const y = site.outputs[0];
  const groups = intOf(site.node, 'group', 1);
  if (!x || !w || !y || x.shape.length < 3 || w.shape.length < 3) return undefined;
  const last = intOf(site.node, 'channels_last', 0) === 1;
  const [inputs, outputs] = [channelsSecond(x, last), channelsSecond(y, last)];
  const each = { inputs: inputs[1]!.size / groups, outputs: outputs[1]!.size / groups };
  return { x, w, y, inputs, outputs, groups, each };
}

/**
 * Whether a grouped convolution loses whole groups (depthwise ones always do), rather than the same channels of
 * every group. The finer of the two is chosen.
 */
const wholeGroups = ({ groups, each }: Channels): boolean => groups >= each.inputs;

/** A convolution with its operands wherever they are. */
export const convolution = (slots: ConvSlots = {}): Required<Omit<AxisRule, 'transparent'>> => ({
  relate(site) {
    const found = channelsOf(site, slots);
    if (!found) return site.pinAll('its shapes are not known');
    const { w, inputs, outputs, groups, each } = found;
    const transposed = slots.transposed === true;
    site.same(inputs[0]!, outputs[0]!);
    const kernel = [...inputs.slice(2), ...outputs.slice(2), ...w.axes.slice(2)];
    for (const axis of kernel) site.pin(axis, 'it is a spatial axis of a convolution');
    for (let axis = 2; axis < w.axes.length; axis++) site.role(w, axis, 'inner');
    const bias = site.inputs[slots.bias ?? 2];
    const [input, output] = [inputs[1]!, outputs[1]!];
    if (bias && (slots.bias !== undefined || slots.w === undefined)) site.same(bias.axes[0]!, output);
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
    const found = channelsOf(site, slots);
    if (!found || found.groups === 1 || !wholeGroups(found)) return undefined;
    return { attributes: { group: int(kept.count(found.inputs[1]!) / found.each.inputs) } };
  },
});

/** With an activation, and a value that is added before it. */
const fused: AxisRule = {
  ...convolution(),
  relate(site) {
    convolution().relate(site);
    const [sum, y] = [site.inputs[3], site.outputs[0]];
    sum?.axes.forEach((axis, i) => {
      site.same(axis, y!.axes[i]!); // related before
    });
  },
};

/** Convolutions. */
export const convRules = {
  Conv: convolution(),
  ConvTranspose: convolution({ transposed: true }),
  'com.microsoft::FusedConv': fused,
} as const satisfies Record<string, AxisRule>;
