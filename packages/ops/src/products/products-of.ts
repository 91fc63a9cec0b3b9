import { type AxisRule, type AxisSite, sizeOf } from '@espalier/core';
import type { OpName } from '../op-names.js';
import type { Product, ProductRule } from './product.js';
import { attentionProducts } from './rules/attention.js';
import { convProducts } from './rules/conv.js';
import { derivedProducts } from './rules/derived.js';
import { linearProducts } from './rules/linear.js';
import { foreignNoProducts, noProducts } from './rules/no-products.js';
import { recurrentProducts } from './rules/recurrent.js';

const rules = { ...attentionProducts, ...convProducts, ...linearProducts, ...recurrentProducts } as const;

/** Ops whose multiply-adds cannot be counted, and why. */
const uncounted = {
  'com.microsoft::QMoE': 'how its experts are packed is not known',
  'com.microsoft::SparseToDenseMatMul': 'how many of its elements are not zero is not known',
} as const;

type Missing = Exclude<OpName, keyof typeof rules | keyof typeof uncounted | (typeof noProducts)[number]>;

// A known op that is in none of the three tables is an error here, which names it.
const names = [...noProducts, ...foreignNoProducts] satisfies readonly ([Missing] extends [never] ? string : Missing)[];
const nothing: ReadonlySet<string> = new Set(names);
const reasons: ReadonlyMap<string, string> = new Map(Object.entries(uncounted));
const byName: ReadonlyMap<string, ProductRule> = new Map(Object.entries(rules));

/** Whether a known op multiplies more than element by element. */
export const multiplies = (op: string): boolean => byName.has(op) || reasons.has(op);

/** The multiply-adds of a node: a rule, the reason why they cannot be counted, or undefined for ops without any. */
export function productRuleOf(site: AxisSite, rule?: AxisRule): ProductRule | string | undefined {
  const { op } = site.node;
  const known = byName.get(op) ?? reasons.get(op);
  if (known !== undefined || nothing.has(op)) return known;
  return rule ? derivedProducts(rule, site) : `no rule counts the op ${op}`;
}

/**
 * The multiply-adds of a node: the sum of products of the sizes of axes, so that it also tells what is left once axes
 * are cut. `rule` is the axis rule of a plugin for an op that is not built in: its multiply-adds follow from it.
 * Undefined where they cannot be counted.
 */
export function productsOf(site: AxisSite, rule?: AxisRule): readonly Product[] | undefined {
  const known = productRuleOf(site, rule);
  if (known === undefined) return [];
  return typeof known === 'string' ? undefined : known.products(site);
}

/** The number of these multiply-adds with nothing cut. */
export const multiplyAdds = (products: readonly Product[]): number =>
  products.reduce((sum, { factor, axes }) => sum + factor * sizeOf(axes.map(({ size }) => size)), 0);
