import type { Attribute, AttributeKind, AttributeValues, Node } from '@espalier/core';
import { codeOf } from './attribute-types.js';
import type { EncodeContext } from './encode-context.js';
import { encodeTensor } from './encode-tensor.js';
import { encodeType } from './encode-type.js';
import { unwritable } from './errors.js';
import type { Draft } from './schema.js';

const encoder = new TextEncoder();

/** The field that each kind of attribute fills. */
const writers: {
  readonly [K in AttributeKind]: (
    value: AttributeValues[K],
    context: EncodeContext,
    where: string,
  ) => Draft<'Attribute'>;
} = {
  int: (value, _, where) => ({ i: whole(value, where) }),
  float: (value) => ({ f: value }),
  text: (value) => ({ s: encoder.encode(value) }),
  bytes: (value) => ({ s: value }),
  ints: (value, _, where) => ({ ints: value.map((each) => whole(each, where)) }),
  floats: (value) => ({ floats: value }),
  texts: (value) => ({ strings: value }),
  tensor: (value) => ({ t: encodeTensor(value) }),
  tensors: (value) => ({ tensors: value.map((each) => encodeTensor(each)) }),
  graph: (value, context) => ({ g: context.graph(value) }),
  graphs: (value, context) => ({ graphs: value.map(context.graph) }),
  type: (value) => ({ tp: encodeType(value) }),
  types: (value) => ({ type_protos: value.map(encodeType) }),
};

/** Attributes as AttributeProtos, in their own order. `where` names the node in errors. @throws ONNX_UNWRITABLE. */
export const encodeAttributes = (
  context: EncodeContext,
  attributes: Node['attributes'],
  where: string,
): readonly Draft<'Attribute'>[] =>
  [...attributes].map(([name, attribute]) => ({
    name,
    ...encodeValue(context, attribute, `${where}, attribute "${name}"`),
  }));

function encodeValue(context: EncodeContext, attribute: Attribute, where: string): Draft<'Attribute'> {
  if (attribute.kind === 'reference') return { type: codeOf[attribute.of], ref_attr_name: attribute.value };
  const write = writers[attribute.kind] as (
    value: unknown,
    context: EncodeContext,
    where: string,
  ) => Draft<'Attribute'>; // the kind chose it
  return { type: codeOf[attribute.kind], ...write(attribute.value, context, where) };
}

function whole(value: number, where: string): number {
  if (Number.isInteger(value)) return value;
  throw unwritable(where, { expected: 'a whole number', found: `${value}` });
}
