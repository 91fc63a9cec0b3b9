import { type Dim, type DType, intOf, intsOf } from '@espalier/core';
import type { OpName } from '../op-names.js';
import { addDims, mulDims, subDims } from './dim.js';
import { type ShapeRule, type Site, sameDim, shapeOfRank, typeOf } from './site.js';
import { checkedWindow, listOf, reachOf, slidDims } from './window.js';

/** Batch, output channels, then the places the kernel takes; input [N, C, ...], weight [M, C/group, ...]. */
function convShape(site: Site, input: readonly Dim[] | undefined, w: number): readonly Dim[] | undefined {
  const weight = shapeOfRank(site, w, 3);
  const kernel = intsOf(site.node, 'kernel_shape', undefined) ?? weight?.slice(2);
  if (!input) return undefined;
  if (weight) {
    if (weight.length !== input.length) {
      throw site.fail({ expected: `a weight of rank ${input.length}`, found: `rank ${weight.length}` });
    }
    const group = intOf(site.node, 'group', 1);
    sameDim(site, `input channels and weight channels × group ${group}`, input[1]!, mulDims(weight[1]!, group));
  }
  const spatial = input.slice(2);
  if (!kernel) return [input[0]!, site.fresh(1), ...spatial.map((_, axis) => site.fresh(axis + 2))];
  if (kernel.length !== spatial.length) {
    throw site.fail({ expected: `a kernel of ${spatial.length} axes`, found: `${kernel.length}` });
  }
  return [input[0]!, weight?.[0] ?? site.fresh(1), ...slidDims(site, spatial, checkedWindow(site, kernel))];
}

/** Where a convolution has its input and weight, and the dtype of its result. */
interface ConvForm {
  readonly x?: number;
  readonly w?: number;
  readonly dtype?: (site: Site) => DType | undefined;
  readonly channelsLast?: (site: Site) => boolean;
}

const convolution =
  ({ x = 0, w = 1, dtype = (site) => site.dtype(x), channelsLast = () => false }: ConvForm = {}): ShapeRule =>
  (site) => {
    const input = shapeOfRank(site, x, 3);
    if (!channelsLast(site)) return [typeOf(dtype(site), convShape(site, input, w))];
    const found = convShape(site, input && [input[0]!, input.at(-1)!, ...input.slice(1, -1)], w);
    return [typeOf(dtype(site), found && [found[0]!, ...found.slice(2), found[1]!])];
  };

/** s·(n - 1) + output_padding + reach - p along each axis; n·s under SAME; or as `output_shape` says. */
const transposed: ShapeRule = (site) => {
  const input = shapeOfRank(site, 0, 3);
  const weight = shapeOfRank(site, 1, 3);
  const kernel = intsOf(site.node, 'kernel_shape', undefined) ?? weight?.slice(2);
  if (!input) return [typeOf(site.dtype(0))];
  const spatial = input.slice(2);
  if (weight) sameDim(site, 'input channels and the first axis of the weight', input[1]!, weight[0]!);
  const channels = weight ? mulDims(weight[1]!, intOf(site.node, 'group', 1)) : site.fresh(1);
  return [typeOf(site.dtype(0), [input[0]!, channels, ...transposedDims(site, spatial, kernel)])];
};

function transposedDims(site: Site, spatial: readonly Dim[], kernel: readonly Dim[] | undefined): readonly Dim[] {
  const wanted = intsOf(site.node, 'output_shape', undefined);
  if (wanted?.length) return wanted.slice(-spatial.length); // early exporters wrote batch and channels too
  if (kernel?.length !== spatial.length) {
    if (kernel) throw site.fail({ expected: `a kernel of ${spatial.length} axes`, found: `${kernel.length}` });
    return spatial.map((_, axis) => site.fresh(axis + 2));
  }
  const window = checkedWindow(site, kernel);
  const extra = listOf(site, 'output_padding', { count: spatial.length, fallback: 0, least: 0 });
  return spatial.map((size, axis) => {
    const stride = window.strides[axis]!;
    if (window.autoPad.startsWith('SAME')) return mulDims(size, stride);
    const padding = window.autoPad === 'VALID' ? 0 : window.pads[axis]! + window.pads[axis + spatial.length]!;
    const full = addDims(mulDims(subDims(size, 1), stride), addDims(reachOf(window, axis), extra[axis]!));
    return subDims(full, padding);
  });
}

const quantized = (site: Site) => site.dtype(7) ?? site.dtype(0);

/** Convolutions; quantized ones have their weight in slot 3 and the output's zero point in slot 7. */
export const convRules = {
  Conv: convolution(),
  ConvInteger: convolution({ dtype: () => 'int32' }),
  ConvTranspose: transposed,
  DeformConv: convolution(),
  QLinearConv: convolution({ w: 3, dtype: quantized }),
  'com.microsoft::FusedConv': convolution(),
  'com.microsoft::NhwcFusedConv': convolution({ channelsLast: () => true }),
  'com.microsoft::QLinearConv': convolution({
    w: 3,
    dtype: quantized,
    channelsLast: (site) => intOf(site.node, 'channels_last', 0) === 1,
  }),
} as const satisfies Partial<Record<OpName, ShapeRule>>;
