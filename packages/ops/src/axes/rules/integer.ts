import { type AxisPort, type AxisRule, type AxisSite, intOf } from '@espalier/core';
import { convolution } from './conv.js';
import { broadcast, roles } from './elementwise.js';
import { gemmAt, productAt } from './linear.js';
import { poolOf } from './pool.js';

/** The scale or zero point of an operand: one number, or one per index of the axis that it numbers. */
function vectors(site: AxisSite, slots: readonly number[], along: AxisPort['axes'][number] | undefined): void {
  for (const slot of slots) {
    const port = site.inputs[slot];
    if (!port) continue;
    port.axes.forEach((axis, i) => {
      site.role(port, i, 'keeps');
      if (axis.size === 1) return;
      if (along && axis.size === along.size && port.axes.length === 1) site.same(axis, along);
      else site.pin(axis, 'its scales do not fit an axis');
    });
  }
}

/** Where an op on codes has its operands and what belongs to them. */
interface Slots {
  readonly a: number;
  readonly aZero: number;
  readonly b: number;
  readonly bZero: number;
  /** Scales and zero points of both, and those of the result. */
  readonly scales: readonly number[];
  /** Added to the sums, as codes of the products where it holds whole numbers. */
  readonly bias?: number;
}

/** Two operands, then their zero points. */
const plain: Slots = { a: 0, b: 1, aZero: 2, bZero: 3, scales: [2, 3] };
/** Each operand is followed by its scale and its zero point; those of the result come next. */
const coded: Slots = { a: 0, aZero: 2, b: 3, bZero: 5, scales: [1, 2, 4, 5, 6, 7] };
/** The same with a bias between the operands and the scale and zero point of the result. */
const codedGemm = { ...coded, bias: 6, scales: [1, 2, 4, 5, 7, 8] } as const satisfies Slots;
/** Where the zero point of an operand stands after it. */
const zeroAfter = 2;

function codes(site: AxisSite, { a, aZero, b, bZero, bias }: Slots, along: number): void {
  site.coded(site.inputs[a], site.inputs[aZero]);
  site.coded(site.inputs[b], site.inputs[bZero], along);
  if (bias !== undefined) site.coded(site.inputs[bias]);
}

const conv = (slots: Slots): AxisRule => {
  const rule = convolution({ x: slots.a, w: slots.b, ...(slots.bias === undefined ? {} : { bias: slots.bias }) });
  return {
    ...rule,
    relate(site) {
      rule.relate(site);
      vectors(site, slots.scales, site.inputs[slots.b]?.axes[0]);
      codes(site, slots, 0);
    },
  };
};

const product = (slots: Slots): AxisRule => ({
  relate(site) {
    productAt(site, slots.a, slots.b);
    const w = site.inputs[slots.b];
    vectors(site, slots.scales, w?.axes.at(-1));
    codes(site, slots, (w?.axes.length ?? 1) - 1);
    if (slots.bias !== undefined) broadcast(site, [site.inputs[slots.bias]]);
  },
});

const qGemm: AxisRule = {
  relate(site) {
    const { a, b, bias: c, scales } = codedGemm;
    gemmAt(site, { a, b, c });
    const column = intOf(site.node, 'transB', 0) ? 0 : 1;
    vectors(site, scales, site.inputs[b]?.axes[column]);
    codes(site, codedGemm, column);
  },
};

/** Codes at the same place of operands that are each followed by their scale and zero point. */
const elementwise = (
  operands: readonly number[],
  { conditions = [] }: { readonly conditions?: readonly number[] } = {},
): AxisRule => ({
  relate(site) {
    broadcast(
      site,
      [...operands, ...conditions].map((slot) => site.inputs[slot]),
    );
    for (const slot of conditions) roles(site, slot, 'keeps');
    for (const slot of operands) site.coded(site.inputs[slot], site.inputs[slot + zeroAfter]);
    const told = new Set([...operands, ...conditions]);
    vectors(
      site,
      site.inputs.flatMap((_, slot) => (told.has(slot) ? [] : [slot])),
      undefined,
    );
  },
});

/** Scale and zero point of the result, then each part with its own: the first part stands in slot 2, the next in 5. */
const firstPart = 2;
const perPart = 3;

const concat: AxisRule = {
  relate(site) {
    const y = site.outputs[0];
    const parts = site.inputs.filter((_, slot) => slot >= firstPart && (slot - firstPart) % perPart === 0);
    if (!y || parts.some((part) => !part)) return site.pinAll('its shapes are not known');
    const axis = intOf(site.node, 'axis', 0);
    const along = axis < 0 ? axis + y.axes.length : axis;
    let offset = 0;
    for (const [n, part] of (parts as readonly AxisPort[]).entries()) {
      part.axes.forEach((each, i) => {
        if (i === along) site.run(each, y.axes[i]!, { fromB: offset, count: each.size });
        else site.same(each, y.axes[i]!);
      });
      offset += part.shape[along]!;
      site.coded(part, site.inputs[firstPart + perPart * n + zeroAfter]);
    }
  },
};

const channelsLast = (site: AxisSite): boolean => intOf(site.node, 'channels_last', 0) === 1;

/** Ops that work on codes without turning them into real numbers. */
export const integerRules = {
  ConvInteger: conv(plain),
  MatMulInteger: product(plain),
  QLinearConv: conv({ ...coded, bias: 8 }),
  QLinearMatMul: product(coded),
  'com.microsoft::DynamicQuantizeMatMul': product({ a: 0, aZero: 3, b: 1, bZero: 3, bias: 4, scales: [2, 3] }),
  'com.microsoft::MatMulInteger16': product({ ...plain, scales: [] }),
  'com.microsoft::MatMulIntegerToFloat': product({ a: 0, aZero: 4, b: 1, bZero: 5, bias: 6, scales: [2, 3, 4, 5] }),
  'com.microsoft::QGemm': qGemm,
  'com.microsoft::QLinearAdd': elementwise([0, 3]),
  'com.microsoft::QLinearAveragePool': poolOf(channelsLast),
  'com.microsoft::QLinearConcat': concat,
  'com.microsoft::QLinearConv': conv({ ...coded, bias: 8 }),
  'com.microsoft::QLinearGlobalAveragePool': poolOf(channelsLast),
  'com.microsoft::QLinearLeakyRelu': elementwise([0]),
  'com.microsoft::QLinearMul': elementwise([0, 3]),
  'com.microsoft::QLinearWhere': elementwise([1, 4], { conditions: [0] }),
} as const satisfies Record<string, AxisRule>;
