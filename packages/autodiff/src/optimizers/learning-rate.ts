import { problem } from '@espalier/core';

/** Options by which every optimizer may say where the learning rate begins; `lr` is the same by its short name. */
export const learningRateOptions = {
  learningRate: {
    type: 'number',
    optional: true,
    min: 0,
    about: 'where the learning rate begins, in place of saying it to the trainer',
  },
  lr: { type: 'number', optional: true, min: 0, about: 'short for `learningRate`' },
} as const;

/** The learning rate that an optimizer was given, as a part of it. @throws OPTION_INVALID for two that differ. */
export function learningRateOf(
  { learningRate, lr }: { readonly learningRate: number | undefined; readonly lr: number | undefined },
  id: string,
): { readonly learningRate?: number } {
  if (learningRate !== undefined && lr !== undefined && learningRate !== lr) {
    throw problem('OPTION_INVALID', {
      where: `optimizer ${id}`,
      expected: 'one learning rate',
      found: `learningRate ${learningRate} and lr ${lr}`,
      fix: 'Remove `lr`.',
    });
  }
  const given = learningRate ?? lr;
  return given === undefined ? {} : { learningRate: given };
}
