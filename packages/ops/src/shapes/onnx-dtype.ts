import { type DType, type Node, textOf } from '@espalier/core';

/** dtypes by their code in TensorProto.DataType (onnx.proto). */
const byCode: readonly (DType | undefined)[] = [
  undefined,
  'float32',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'float64',
  'uint32',
  'uint64',
  'complex64',
  'complex128',
  'bfloat16',
  'float8e4m3fn',
  'float8e4m3fnuz',
  'float8e5m2',
  'float8e5m2fnuz',
  'uint4',
  'int4',
  'float4e2m1',
  'float8e8m0',
  'uint2',
  'int2',
];

const oldNames: Readonly<Record<string, DType>> = { float: 'float32', double: 'float64' };

/** The dtype of an ONNX type code; undefined for codes that no dtype has (0 is "not said"). */
export const dtypeOfCode = (code: number): DType | undefined => byCode[code];

/** ONNX's code of a dtype. */
export const codeOfDtype = (dtype: DType): number => byCode.indexOf(dtype);

/**
 * The dtype an attribute names, by code, or by word as Cast did before opset 6; undefined where the attribute is
 * absent, names no dtype, or refers to a parameter of a function.
 */
export function dtypeAttribute(node: Node, name: string): DType | undefined {
  const attribute = node.attributes.get(name);
  if (attribute?.kind === 'int') return dtypeOfCode(attribute.value);
  if (attribute?.kind !== 'text') return undefined;
  const word = textOf(node, name, '').toLowerCase();
  return Object.hasOwn(oldNames, word) ? oldNames[word] : byCode.find((dtype) => dtype === word);
}
