import type { Container, Dim, ValueInfo } from '@espalier/core';
import { dtypeOf } from './data-types.js';
import { type DecodeContext, placeIn } from './decode-context.js';
import { malformed, unsupported } from './errors.js';
import type { Proto } from './schema.js';

/**
 * A TypeProto as what is known of a value: wrappers (sequence, optional, map, sparse) from outermost to innermost,
 * then the tensor inside. Sizes without number or name are named after `owner`, so that no two are taken as equal.
 * Undefined when no type is given.
 * @throws ONNX_UNSUPPORTED for opaque types, ONNX_MALFORMED.
 */
export function decodeType(
  context: DecodeContext,
  proto: Proto<'Type'> | undefined,
  { path, owner }: { readonly path: string; readonly owner: string },
): ValueInfo | undefined {
  const container: Container[] = [];
  let type = proto;
  while (type) {
    const place = placeIn(context, type, path);
    const leaf = type.tensor_type ?? type.sparse_tensor_type;
    if (leaf) {
      if (!type.tensor_type) container.push('sparse');
      const dtype = dtypeOf(leaf.elem_type);
      if (dtype === undefined) {
        if (!leaf.elem_type) return undefined;
        throw malformed(place, { expected: 'a known elem_type', found: `${leaf.elem_type}` });
      }
      return {
        dtype,
        ...(leaf.shape ? { shape: leaf.shape.dim.map((dim, i) => decodeDim(dim, `${owner}?${i}`)) } : {}),
        ...(container.length > 0 ? { container } : {}),
      };
    }
    if (type.opaque_type) {
      throw unsupported(place, { expected: 'a tensor, sequence, optional or map', found: 'an opaque type' });
    }
    if (type.map_type) {
      const mapFrom = dtypeOf(type.map_type.key_type);
      if (mapFrom === undefined) throw malformed(place, { expected: 'a known key_type', found: 'none' });
      container.push({ mapFrom });
    } else if (type.sequence_type) container.push('sequence');
    else if (type.optional_type) container.push('optional');
    type = type.map_type?.value_type ?? type.sequence_type?.elem_type ?? type.optional_type?.elem_type;
  }
  return undefined;
}

// Some exporters write -1 for a size they do not know.
function decodeDim({ dim_value, dim_param }: Proto<'Dimension'>, unknown: string): Dim {
  if (dim_value !== undefined && dim_value >= 0 && Number.isSafeInteger(dim_value)) return dim_value;
  return dim_param || unknown;
}
