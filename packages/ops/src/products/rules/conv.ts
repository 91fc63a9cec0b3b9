import { type AxisPort, intOf } from '@espalier/core';
import { type ProductRule, type ProductSite, product } from '../product.js';

/** The batch and the places of a value, without its channels. */
function places({ node }: ProductSite, { axes }: AxisPort, last = false): AxisPort['axes'] {
  const channelsLast = last || intOf(node, 'channels_last', 0) === 1;
  return channelsLast ? axes.slice(0, -1) : axes.filter((_, i) => i !== 1);
}

/**
 * Convolution: every weight of W [M, C/group, k...] is used once at every place of the output. Products with padding
 * are counted, as every published figure does. A 3x3 convolution from 3 to 16 channels on 32x32 with padding 1 is
 * 32 * 32 * 16 * 27 = 442,368.
 */
const conv = (w = 1, channelsLast = false): ProductRule => ({
  operands: [0, w],
  products: (site) => {
    const [weight, y] = [site.inputs[w], site.outputs[0]];
    return weight && y && [product(...places(site, y, channelsLast), ...weight.axes)];
  },
});

/** Transposed convolution: every weight of W [C, M/group, k...] is used once at every place of the input. */
const convTranspose: ProductRule = {
  operands: [0, 1],
  products: (site) => {
    const [x, weight] = site.inputs;
    return x && weight && [product(...places(site, x), ...weight.axes)];
  },
};

/** As often as the convolution that it belongs to: every weight of W at every place of dy. */
const inputGradient: ProductRule = {
  operands: [0, 1],
  products: (site) => {
    const [dy, weight] = site.inputs;
    return dy && weight && [product(...places(site, dy), ...weight.axes)];
  },
};

const weightGradient: ProductRule = {
  operands: [0, 1],
  products: (site) => {
    const [dy, dw] = [site.inputs[1], site.outputs[0]];
    return dy && dw && [product(...places(site, dy), ...dw.axes)];
  },
};

/** Convolutions. */
export const convProducts = {
  Conv: conv(),
  ConvInteger: conv(),
  ConvTranspose: convTranspose,
  DeformConv: conv(),
  QLinearConv: conv(3),
  'com.microsoft::FusedConv': conv(),
  'com.microsoft::NhwcFusedConv': conv(1, true),
  'com.microsoft::QLinearConv': conv(3),
  'espalier::ConvInputGradient': inputGradient,
  'espalier::ConvWeightGradient': weightGradient,
} as const satisfies Record<string, ProductRule>;
