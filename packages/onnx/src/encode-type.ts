import type { Container, ValueInfo } from '@espalier/core';
import { dataTypes } from './data-types.js';
import type { Draft } from './schema.js';

/** Encodes the known facts about a value as a TypeProto. */
export function encodeType({ dtype, shape, container = [] }: ValueInfo): Draft<'Type'> {
  const sparse = container.at(-1) === 'sparse';
  const leaf: Draft<'TensorType'> = {
    elem_type: dataTypes[dtype].code,
    shape: shape && { dim: shape.map((dim) => (typeof dim === 'number' ? { dim_value: dim } : { dim_param: dim })) },
  };
  return container
    .filter((each) => each !== 'sparse')
    .reduceRight<Draft<'Type'>>(wrap, sparse ? { sparse_tensor_type: leaf } : { tensor_type: leaf });
}

function wrap(type: Draft<'Type'>, container: Container): Draft<'Type'> {
  if (typeof container === 'object') {
    return { map_type: { key_type: dataTypes[container.mapFrom].code, value_type: type } };
  }
  return container === 'sequence' ? { sequence_type: { elem_type: type } } : { optional_type: { elem_type: type } };
}
