import {
  allocate,
  type Dataset,
  isPacked,
  sizeOf,
  type Tensor,
  type TypedArray,
  tensor,
  toNumbers,
  type ValueInfo,
} from '@espalier/core';
import { badIndex, badShape, nothingFound } from './errors.js';

/** A data set whose labels are known without reading a sample, so that balanced draws cost nothing. */
export interface LabelledDataset extends Dataset {
  readonly labels: Int32Array;
}

/** The parts of a data set in memory: each field with all samples along its first axis. */
export interface TensorSetParts {
  readonly name: string;
  readonly fields: ReadonlyMap<string, Tensor>;
  readonly classes?: readonly string[];
}

/**
 * A data set from tensors in memory. A field `label` of whole numbers becomes int32 and gives `labels`.
 * @throws DATA_SHAPE when fields differ in length or have no first axis, DATA_EMPTY without samples.
 */
export function tensorSet({ name, fields, classes }: TensorSetParts): Dataset | LabelledDataset {
  const all = new Map([...fields].map(([field, value]) => [field, field === 'label' ? asLabels(name, value) : value]));
  const size = commonLength(name, all);
  const infos = new Map<string, ValueInfo>(
    [...all].map(([field, { dtype, shape }]) => [field, { dtype, shape: shape.slice(1) }]),
  );
  const labels = all.get('label');
  return {
    name,
    size,
    fields: infos,
    ...(classes ? { classes } : {}),
    ...(labels ? { labels: labels.data as Int32Array } : {}), // asLabels makes them int32
    async read(indices) {
      checkIndices(name, indices, size);
      return new Map([...all].map(([field, value]) => [field, rowsOf(value, indices)]));
    },
  };
}

/** The rows of a tensor at these indices of its first axis, copied. */
export function rowsOf(source: Tensor, indices: readonly number[]): Tensor {
  const shape = [indices.length, ...source.shape.slice(1)];
  const row = sizeOf(source.shape.slice(1));
  if (source.dtype === 'string') {
    return tensor(
      'string',
      shape,
      indices.flatMap((i) => source.data.slice(i * row, (i + 1) * row)),
    );
  }
  const from = source.data as TypedArray & Uint8Array; // all typed arrays share `set` and `subarray`
  const stride = source.data.length / Math.max(1, source.shape[0]!);
  const out = allocate(source.dtype, row * indices.length) as TypedArray & Uint8Array; // as above, of the same type
  for (const [k, i] of indices.entries()) out.set(from.subarray(i * stride, (i + 1) * stride), k * stride);
  return tensor(source.dtype, shape, out as never); // allocated for this dtype
}

/** One tensor from several of the same dtype and row shape, along the first axis. @throws DATA_SHAPE. */
export function joinRows(parts: readonly Tensor[]): Tensor {
  const first = parts[0]!;
  if (parts.length === 1) return first;
  const row = first.shape.slice(1);
  const odd = parts.find(({ dtype, shape }) => dtype !== first.dtype || shape.slice(1).join() !== row.join());
  if (odd) {
    throw badShape('batch', {
      expected: `samples ${first.dtype}[${row.join(',')}]`,
      found: `${odd.dtype}[${odd.shape.slice(1).join(',')}]`,
      fix: 'Samples of a batch must have one shape.',
    });
  }
  const shape = [parts.reduce((sum, part) => sum + part.shape[0]!, 0), ...row];
  if (first.dtype === 'string') {
    return tensor(
      'string',
      shape,
      parts.flatMap((part) => part.data as readonly string[]), // all parts are of the dtype of the first
    );
  }
  const out = allocate(first.dtype, sizeOf(shape)) as TypedArray & Uint8Array; // all typed arrays share `set`
  let at = 0;
  for (const part of parts) {
    out.set(part.data as Uint8Array, at); // of the same class as `out`
    at += part.data.length;
  }
  return tensor(first.dtype, shape, out as never); // allocated for this dtype
}

/** Checks that every index names a sample. @throws DATA_INDEX. */
export function checkIndices(name: string, indices: readonly number[], size: number): void {
  for (const index of indices) {
    if (!Number.isInteger(index) || index < 0 || index >= size) throw badIndex(name, index, size);
  }
}

function commonLength(name: string, fields: ReadonlyMap<string, Tensor>): number {
  const lengths = [...fields].map(([field, value]) => {
    if (value.shape.length === 0 || isPacked(value.dtype)) {
      throw badShape(`data set ${name}, field ${field}`, {
        expected: 'an array with samples along its first axis',
        found: `${value.dtype}[${value.shape.join(',')}]`,
      });
    }
    return value.shape[0]!;
  });
  const size = lengths[0] ?? 0;
  if (lengths.some((length) => length !== size)) {
    throw badShape(`data set ${name}`, {
      expected: 'the same number of samples in every field',
      found: [...fields.keys()].map((field, i) => `${field}: ${lengths[i]}`).join(', '),
    });
  }
  if (size === 0) throw nothingFound(`data set ${name}`, { expected: 'at least one sample', found: 'none' });
  return size;
}

function asLabels(name: string, value: Tensor): Tensor<'int32'> {
  const flat = value.shape.length === 1 || (value.shape.length === 2 && value.shape[1] === 1);
  const numbers = flat && value.dtype !== 'string' ? toNumbers(value) : undefined;
  if (!numbers?.every((each) => Number.isInteger(each) && each >= 0 && each < 2 ** 31)) {
    throw badShape(`data set ${name}, field label`, {
      expected: 'one whole number of 0 or more for each sample',
      found: `${value.dtype}[${value.shape.join(',')}]${numbers ? ' with other values' : ''}`,
    });
  }
  return tensor('int32', [numbers.length], Int32Array.from(numbers));
}
