import type { Attribute, AttributeKind, ValueInfo } from '@espalier/core';
import { attributeTypes, kindOf } from './attribute-types.js';
import { type DecodeContext, placeIn } from './decode-context.js';
import { decodeSparseTensor } from './decode-sparse-tensor.js';
import { decodeTensor } from './decode-tensor.js';
import { decodeType } from './decode-type.js';
import { malformed, type Place, quoted } from './errors.js';
import type { Proto } from './schema.js';
import { decodeText } from './wire-reader.js';

type Reader = (context: DecodeContext, proto: Proto<'Attribute'>, path: string) => Attribute;

/** The reader of each attribute type. Absent numbers and texts are 0 and '', because proto3 writers omit them. */
const readers = {
  FLOAT: (_, { f }) => ({ kind: 'float', value: f ?? 0 }),
  INT: (_, { i }) => ({ kind: 'int', value: i ?? 0 }),
  STRING: (_, { s = new Uint8Array(0) }) => {
    const text = decodeText(s);
    return text === undefined ? { kind: 'bytes', value: s } : { kind: 'text', value: text };
  },
  TENSOR: (context, proto, path) => ({
    kind: 'tensor',
    value: decodeTensor(context, given(proto.t, 't', placeIn(context, proto, path)), `${path}.t`),
  }),
  GRAPH: (context, proto, path) => ({
    kind: 'graph',
    value: context.graph(given(proto.g, 'g', placeIn(context, proto, path)), `${path}.g`),
  }),
  FLOATS: (_, { floats }) => ({ kind: 'floats', value: floats }),
  INTS: (_, { ints }) => ({ kind: 'ints', value: ints }),
  STRINGS: (_, { strings }) => ({ kind: 'texts', value: strings }),
  TENSORS: (context, { tensors }, path) => ({
    kind: 'tensors',
    value: tensors.map((each, i) => decodeTensor(context, each, `${path}.tensors[${i}]`)),
  }),
  GRAPHS: (context, { graphs }, path) => ({
    kind: 'graphs',
    value: graphs.map((each, i) => context.graph(each, `${path}.graphs[${i}]`)),
  }),
  SPARSE_TENSOR: (context, proto, path) => {
    const sparse = given(proto.sparse_tensor, 'sparse_tensor', placeIn(context, proto, path));
    return { kind: 'tensor', value: decodeSparseTensor(context, sparse, `${path}.sparse_tensor`).tensor };
  },
  SPARSE_TENSORS: (context, { sparse_tensors }, path) => ({
    kind: 'tensors',
    value: sparse_tensors.map((each, i) => decodeSparseTensor(context, each, `${path}.sparse_tensors[${i}]`).tensor),
  }),
  TYPE_PROTO: (context, proto, path) => ({
    kind: 'type',
    value: typeIn(context, proto, { type: proto.tp, path: `${path}.tp` }),
  }),
  TYPE_PROTOS: (context, proto, path) => ({
    kind: 'types',
    value: proto.type_protos.map((type, i) => typeIn(context, proto, { type, path: `${path}.type_protos[${i}]` })),
  }),
} satisfies Record<keyof typeof attributeTypes, Reader>;

/**
 * An AttributeProto as an attribute. Files of IR version 1 carry no type: the field that is set tells it.
 * @throws ONNX_MALFORMED, and what tensors, graphs and types throw.
 */
export function decodeAttribute(context: DecodeContext, proto: Proto<'Attribute'>, path: string): Attribute {
  const kind = kindOf(proto.type) ?? inferred(proto);
  if (kind === undefined) {
    const found = proto.type ? `type ${proto.type}` : 'no type and no value';
    throw malformed(placeIn(context, proto, path), { expected: 'an attribute of a known type', found });
  }
  if (proto.ref_attr_name) {
    return { kind: 'reference', value: proto.ref_attr_name, of: attributeTypes[kind].kind satisfies AttributeKind };
  }
  return readers[kind](context, proto, path);
}

/** Attributes by name. @throws ONNX_MALFORMED when a name is empty or comes twice. */
export function decodeAttributes(
  context: DecodeContext,
  protos: readonly Proto<'Attribute'>[],
  path: string,
): ReadonlyMap<string, Attribute> {
  const attributes = new Map<string, Attribute>();
  protos.forEach((proto, i) => {
    const name = proto.name ?? '';
    if (name === '' || attributes.has(name)) {
      const found = name === '' ? 'none' : `${quoted(name)} twice`;
      throw malformed(placeIn(context, proto, `${path}[${i}]`), { expected: 'a name of its own', found });
    }
    attributes.set(name, decodeAttribute(context, proto, `${path}[${i}]`));
  });
  return attributes;
}

function inferred(proto: Proto<'Attribute'>): keyof typeof attributeTypes | undefined {
  if (proto.type) return undefined;
  return (Object.keys(attributeTypes) as (keyof typeof attributeTypes)[]).find((kind) => {
    const value = proto[attributeTypes[kind].field];
    return Array.isArray(value) ? value.length > 0 : value !== undefined;
  });
}

function given<T>(value: T | undefined, expected: string, place: Place): T {
  if (value !== undefined) return value;
  throw malformed(place, { expected, found: 'none' });
}

function typeIn(
  context: DecodeContext,
  proto: Proto<'Attribute'>,
  { type, path }: { readonly type: Proto<'Type'> | undefined; readonly path: string },
): ValueInfo {
  const info = decodeType(context, type, { path, owner: proto.name ?? '' });
  return given(info, 'a type', placeIn(context, proto, path));
}
