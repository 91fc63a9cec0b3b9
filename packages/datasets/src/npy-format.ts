import {
  alignmentOf,
  allocate,
  bytesFor,
  type DType,
  sizeOf,
  type Tensor,
  type TypedArray,
  tensor,
  viewAs,
} from '@espalier/core';
import { badFormat } from './errors.js';

const elementTypes: Readonly<Record<string, Exclude<DType, 'string'>>> = {
  b1: 'bool',
  i1: 'int8',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
  u1: 'uint8',
  u2: 'uint16',
  u4: 'uint32',
  u8: 'uint64',
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
};

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
const longestHeader = 65536;

/**
 * Reads an NPY file (numpy.lib.format, versions 1 to 3) of numbers or booleans, in either byte order; columns-first
 * arrays are put into row-major order. The header is a Python dictionary, which is matched, never evaluated.
 * @throws DATA_FORMAT for anything else, pickled objects and structured types included.
 */
export function readNpy(bytes: Uint8Array, where: string): Tensor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6] ?? 0;
  const prefix = version === 1 ? 10 : 12;
  if (!magic.every((byte, i) => bytes[i] === byte) || version < 1 || version > 3 || bytes.length < prefix) {
    throw badFormat(where, { expected: 'an NPY file of version 1 to 3', found: 'other bytes', offset: 0 });
  }
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > longestHeader || prefix + length > bytes.length) {
    throw badFormat(where, { expected: 'a header inside the file', found: `one of ${length} bytes`, offset: 8 });
  }
  const header = readHeader(new TextDecoder().decode(bytes.subarray(prefix, prefix + length)), where, prefix);
  const size = sizeOf(header.shape);
  const wanted = prefix + length + bytesFor(header.dtype, size);
  if (bytes.length !== wanted) {
    throw badFormat(where, {
      expected: `${wanted} bytes for ${header.dtype}[${header.shape.join(',')}]`,
      found: `${bytes.length}`,
      offset: Math.min(wanted, bytes.length),
    });
  }
  const body = aligned(bytes.subarray(prefix + length), header);
  const data = viewAs(header.dtype, body, size);
  return tensor(header.dtype, header.shape, (header.columnsFirst ? rowsFirst(data, header) : data) as never); // of this dtype
}

/** The content of the header. */
interface Header {
  readonly dtype: Exclude<DType, 'string'>;
  readonly bigEndian: boolean;
  readonly columnsFirst: boolean;
  readonly shape: readonly number[];
}

function readHeader(text: string, where: string, offset: number): Header {
  const bad = (expected: string) => badFormat(where, { expected, found: text.trim().slice(0, 120), offset });
  const type = /'descr'\s*:\s*'([<>|=])([a-zA-Z]\d{1,2})'/.exec(text);
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text);
  const dims = /'shape'\s*:\s*\(([\d,\sL]*)\)/.exec(text);
  if (!/^\s*\{[^{}]*\}\s*$/.test(text) || !order || !dims) throw bad('a dictionary of descr, fortran_order and shape');
  const dtype = type && Object.hasOwn(elementTypes, type[2]!) ? elementTypes[type[2]!] : undefined;
  if (!dtype) throw bad('an array of plain numbers or booleans');
  const shape = dims[1]!
    .split(',')
    .map((part) => part.trim().replace(/L$/, ''))
    .filter((part) => part !== '')
    .map(Number);
  if (shape.length > 32 || !Number.isSafeInteger(sizeOf(shape)) || !shape.every(Number.isSafeInteger)) {
    throw bad('a shape of whole numbers');
  }
  return { dtype, bigEndian: type![1] === '>', columnsFirst: order[1] === 'True', shape };
}

// Views need whole multiples of the element size; an entry of an archive may begin anywhere.
function aligned(body: Uint8Array, { dtype, bigEndian }: Header): Uint8Array {
  const width = alignmentOf(dtype);
  if (!bigEndian || width === 1) return body.byteOffset % width === 0 ? body : body.slice();
  const out = body.slice();
  for (let at = 0; at < out.length; at += width) out.subarray(at, at + width).reverse();
  return out;
}

// Column-major strides grow from the first axis on; walks the result in row-major order.
function rowsFirst(data: TypedArray, { dtype, shape }: Header): TypedArray {
  const out = allocate(dtype, data.length) as TypedArray & Uint8Array; // all typed arrays are written alike
  const strides: number[] = [];
  shape.reduce((stride, dim) => {
    strides.push(stride);
    return stride * dim;
  }, 1);
  const at = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < out.length; to++) {
    out[to] = data[from] as number; // of the same class as `out`
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at[axis]!++;
      from += strides[axis]!;
      if (at[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      at[axis] = 0;
    }
  }
  return out;
}
