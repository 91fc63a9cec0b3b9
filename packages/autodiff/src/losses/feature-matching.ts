import { definePlugin, problem, scalar, type ValueId } from '@espalier/core';
import { missingLossInput } from '../errors.js';
import { squaredError } from './mean-squared-error.js';

/**
 * Values inside the network are drawn to those of a teacher (FitNets: Romero et al. 2015, arXiv 1412.6550, eq. 3,
 * without a regressor): loss + weight · Σ over values of mean squared error(value, teacher's value). Each value gets a
 * further input `VALUE.teacher` of its own shape.
 */
export const featureMatching = /* @__PURE__ */ definePlugin({
  kind: 'loss',
  id: 'feature-matching',
  about: 'Agreement of inner values with those of a teacher, on top of another loss.',
  options: {
    loss: { type: 'plugin', kind: 'loss', default: 'cross-entropy', about: 'the loss of the output' },
    values: {
      type: 'texts',
      about: 'names of the values that are matched; `VALUE=OTHER` where the teacher calls it otherwise',
    },
    weight: { type: 'number', default: 1, min: 0, about: 'weight of the matching' },
  },
  create: ({ loss, values: written, weight }) => {
    if (written.length === 0) throw wrongValue('the name of one value or more', '');
    const pairs = written.map(readPair);
    return {
      ...loss,
      inputs(site) {
        const own = pairs.map(({ value, input }) => {
          const info = site.info(value);
          if (info) return [input, info] as const;
          throw wrongValue('the name of a value of the network', value);
        });
        return new Map([...(loss.inputs?.(site) ?? []), ...own]);
      },
      teacher: new Map([
        ...(loss.teacher ?? []),
        ...pairs.map(({ input, other }) => [input, { value: other }] as const),
      ]),
      build(b, of) {
        const base = loss.build(b, of);
        const terms = pairs.map(({ value, input }) => {
          const teacher = of.inputs?.get(input);
          if (teacher === undefined) throw missingLossInput('loss feature-matching', input);
          return squaredError(b, value, teacher);
        });
        const matched = b.add('Mul', [b.add('Sum', terms), b.constant('matching_weight', scalar(weight))]);
        return b.add('Add', [base, matched], { name: 'loss' });
      },
    };
  },
});

interface Pair {
  readonly value: ValueId;
  /** The teacher's name for it. */
  readonly other: ValueId;
  /** The further input of the loss. */
  readonly input: string;
}

function readPair(text: string, index: number, all: readonly string[]): Pair {
  const [value = '', other = value, ...more] = text.split('=');
  if (value === '' || other === '' || more.length > 0) throw wrongValue('VALUE, or VALUE=OTHER', text);
  if (all.findIndex((each) => each.split('=')[0] === value) !== index) throw wrongValue('each value once', text);
  return { value, other, input: `${value}.teacher` };
}

const wrongValue = (expected: string, found: string) =>
  problem('AUTODIFF_LOSS', { where: 'loss feature-matching.values', expected, found: `"${found}"` });
