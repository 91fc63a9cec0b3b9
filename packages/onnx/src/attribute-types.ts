import type { AttributeKind } from '@espalier/core';

/** Each type of AttributeProto: its number, the field that holds its value, and the kind of attribute it becomes. */
export const attributeTypes = {
  FLOAT: { code: 1, field: 'f', kind: 'float' },
  INT: { code: 2, field: 'i', kind: 'int' },
  STRING: { code: 3, field: 's', kind: 'text' },
  TENSOR: { code: 4, field: 't', kind: 'tensor' },
  GRAPH: { code: 5, field: 'g', kind: 'graph' },
  FLOATS: { code: 6, field: 'floats', kind: 'floats' },
  INTS: { code: 7, field: 'ints', kind: 'ints' },
  STRINGS: { code: 8, field: 'strings', kind: 'texts' },
  TENSORS: { code: 9, field: 'tensors', kind: 'tensors' },
  GRAPHS: { code: 10, field: 'graphs', kind: 'graphs' },
  SPARSE_TENSOR: { code: 11, field: 'sparse_tensor', kind: 'tensor' },
  SPARSE_TENSORS: { code: 12, field: 'sparse_tensors', kind: 'tensors' },
  TYPE_PROTO: { code: 13, field: 'tp', kind: 'type' },
  TYPE_PROTOS: { code: 14, field: 'type_protos', kind: 'types' },
} as const satisfies Record<string, { code: number; field: string; kind: AttributeKind }>;

/** The name of a type of AttributeProto. */
export type AttributeType = keyof typeof attributeTypes;

/** The number that each kind of attribute is written with. */
export const codeOf = {
  float: 1,
  int: 2,
  text: 3,
  bytes: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  texts: 8,
  tensors: 9,
  graphs: 10,
  type: 13,
  types: 14,
} as const satisfies Record<AttributeKind, number>;

const byCode: ReadonlyMap<number, AttributeType> = /* @__PURE__ */ new Map(
  (Object.keys(attributeTypes) as AttributeType[]).map((type) => [attributeTypes[type].code, type]),
);

/** The type with a number; undefined for 0 (none) and unknown ones. */
export const kindOf = (code: number | undefined): AttributeType | undefined => byCode.get(code ?? 0);
