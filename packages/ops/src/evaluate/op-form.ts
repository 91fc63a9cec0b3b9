import type { Attribute, DType, Node } from '@espalier/core';

const floats = ['float64', 'float32', 'float16', 'bfloat16'] as const;
const integers = ['int64', 'int32', 'int16', 'int8', 'uint64', 'uint32', 'uint16', 'uint8'] as const;

/** The dtypes that a form takes as its first input, by name. */
const families = {
  floats: new Set<DType>(floats),
  integers: new Set<DType>(integers),
  numbers: new Set<DType>([...floats, ...integers]),
  truths: new Set<DType>(['bool']),
} as const;

/** The values of an attribute that are handled. */
export type Handled = 'any' | readonly (number | string)[];

/** The part of an op that a kernel or evaluator handles. A node with more than that is declined. */
export interface OpForm {
  /** Each attribute that is read, or that changes no result, with the values of it that are handled. */
  readonly attributes: Readonly<Record<string, Handled>>;
  /** The dtypes of the first input. */
  readonly dtypes: keyof typeof families | 'any';
}

/** A form from its dtypes and attributes; names alone stand for attributes of any value. */
export const opForm = (
  dtypes: OpForm['dtypes'],
  names = '',
  limited: Readonly<Record<string, readonly (number | string)[]>> = {},
): OpForm => {
  const any = names.split(' ').filter((name) => name !== '');
  return { dtypes, attributes: { ...Object.fromEntries(any.map((name) => [name, 'any'])), ...limited } };
};

/** The first thing about a node that its form does not cover; undefined where it covers everything. */
export function beyondForm(form: OpForm, node: Node, dtype: DType | undefined): string | undefined {
  for (const [name, attribute] of node.attributes) {
    const handled = Object.hasOwn(form.attributes, name) ? form.attributes[name] : undefined;
    if (handled === undefined) return `the attribute "${name}"`;
    if (handled !== 'any' && !handled.some((value) => value === elementOf(attribute))) {
      return `the attribute "${name}" with ${shown(attribute)}`;
    }
  }
  const family = form.dtypes === 'any' ? undefined : families[form.dtypes];
  return dtype !== undefined && family && !family.has(dtype) ? `a first input of ${dtype}` : undefined;
}

const elementOf = (attribute: Attribute): unknown => ('value' in attribute ? attribute.value : undefined);

const shown = (attribute: Attribute): string => {
  const value = elementOf(attribute);
  return typeof value === 'number' || typeof value === 'string' ? `the value ${value}` : `a value of ${attribute.kind}`;
};
