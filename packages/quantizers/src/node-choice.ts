import { matchNames, type Options } from '@espalier/core';

/** Options, shared by all quantizers, that say which nodes they may touch. */
export const nodeChoiceOptions = {
  include: { type: 'texts', default: [], about: 'op types to quantize; empty for all that can be' },
  exclude: { type: 'texts', default: [], about: 'op types to leave float' },
  only: { type: 'texts', default: [], about: 'patterns of node ids to quantize (* and ?); empty for all' },
  ignore: { type: 'texts', default: [], about: 'patterns of node ids to leave float (* and ?)' },
} as const satisfies Options;

/** The values of `nodeChoiceOptions`. */
export interface NodeChoice {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly only: readonly string[];
  readonly ignore: readonly string[];
}

/** Why the options leave a node out; undefined when they do not. */
export type LeftOut = (id: string, op: string) => string | undefined;

/** The test that the options come down to. */
export function leftOutBy(choice: NodeChoice): LeftOut {
  const only = matchNames(choice.only);
  const ignore = matchNames(choice.ignore);
  return (id, op) => {
    if (choice.include.length > 0 && !choice.include.includes(op)) return `${op} is not among the ops to include`;
    if (choice.exclude.includes(op)) return `${op} is excluded`;
    if (choice.only.length > 0 && !only(id)) return 'no pattern of `only` names it';
    return ignore(id) ? 'a pattern of `ignore` names it' : undefined;
  };
}
