import { sizeOf } from '@espalier/core';
import type { MacRule } from './mac-rule.js';

/**
 * Convolution: every output element sums C/group · k₁ · k₂ … products, so MACs = |output| · |W| / M for a weight
 * W [M, C/group, k…]. Products with padding are counted, as every published figure does.
 * A 3×3 convolution from 3 to 16 channels on 32×32 with padding 1 is 32·32·16·27 = 442,368.
 */
const conv = (activation: number, weight: number): MacRule => ({
  operands: [activation, weight],
  macs: ({ input, output }) => {
    const kernel = input(weight);
    const out = output(0);
    return kernel && out ? sizeOf(out) * sizeOf(kernel.slice(1)) : undefined;
  },
});

/**
 * Transposed convolution: every input element is multiplied by M/group · k₁ · k₂ … weights, so
 * MACs = |input| · |W| / C for a weight W [C, M/group, k…]. Products that fall into the cropped border count.
 */
const convTranspose: MacRule = {
  operands: [0, 1],
  macs: ({ input }) => {
    const x = input(0);
    const kernel = input(1);
    return x && kernel ? sizeOf(x) * sizeOf(kernel.slice(1)) : undefined;
  },
};

/** Rules of the convolutions. */
export const convMacs = {
  Conv: conv(0, 1),
  ConvTranspose: convTranspose,
  ConvInteger: conv(0, 1),
  QLinearConv: conv(0, 3),
  'com.microsoft::FusedConv': conv(0, 1),
  'com.microsoft::QLinearConv': conv(0, 3),
} as const satisfies Record<string, MacRule>;
