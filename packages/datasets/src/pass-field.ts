import {
  type Dataset,
  type Dim,
  fromNumbers,
  isFloat,
  isInteger,
  type Port,
  type Tensor,
  toFloats,
  toNumbers,
  type ValueInfo,
} from '@espalier/core';
import { badRequest } from './errors.js';
import type { FitOptions } from './fit-options.js';
import { unfit } from './input-layout.js';

/** The options that only make sense for images. */
export const imageOptions = ['scale', 'mean', 'std', 'resize', 'crop', 'channels', 'layout'] as const;

/** Whether two shapes agree wherever both are numbers. */
export const compatible = (has: readonly Dim[], wants: readonly Dim[]): boolean =>
  has.length === wants.length &&
  has.every((dim, i) => typeof dim === 'string' || typeof wants[i] === 'string' || dim === wants[i]);

/**
 * The data set with a field that is no image under the name and dtype of an input.
 * @throws DATA_FIT when shape or dtype do not go together, DATA_SPEC when options for images are given.
 */
export function passField(
  dataset: Dataset,
  {
    field,
    info,
    port,
    options,
  }: { readonly field: string; readonly info: ValueInfo; readonly port: Port; readonly options: FitOptions },
): Dataset {
  const given = imageOptions.find((name) => options[name] !== undefined);
  if (given) {
    throw badRequest(`data set ${dataset.name}, option ${given}`, {
      expected: 'a field of images',
      found: `field ${field} with samples ${info.dtype}[${info.shape?.join(',') ?? '?'}]`,
      fix: 'Leave the preprocessing options away, and store the values as the model wants them.',
    });
  }
  const inner = port.shape?.slice(1);
  if (inner && info.shape && !compatible(info.shape, inner)) {
    throw unfit(port, `field ${field} with samples ${info.dtype}[${info.shape.join(',')}]`, 'Use data of this shape.');
  }
  if (info.dtype !== port.dtype && !convertible(info, port)) {
    throw unfit(port, `field ${field} of ${info.dtype}`, `Store the array as ${port.dtype}.`);
  }
  return renamed(dataset, { field, port, info });
}

const convertible = (from: ValueInfo, to: Port): boolean =>
  (isFloat(from.dtype) && isFloat(to.dtype)) || (isInteger(from.dtype) && (isInteger(to.dtype) || isFloat(to.dtype)));

function renamed(
  dataset: Dataset,
  { field, port, info }: { readonly field: string; readonly port: Port; readonly info: ValueInfo },
): Dataset {
  if (field === port.name && info.dtype === port.dtype) return dataset;
  const rename = <V>(entries: Iterable<readonly [string, V]>, change: (value: V) => V) =>
    new Map([...entries].map(([name, value]) => (name === field ? [port.name, change(value)] : [name, value])));
  return {
    ...dataset,
    fields: rename(dataset.fields, (value) => ({ ...value, dtype: port.dtype })),
    async read(indices) {
      return rename(await dataset.read(indices), (value) => as(value, port));
    },
  };
}

function as(value: Tensor, { dtype }: Port): Tensor {
  if (value.dtype === dtype) return value;
  return fromNumbers(
    dtype,
    value.shape,
    isFloat(value.dtype) && dtype !== 'float64' ? toFloats(value) : toNumbers(value),
  );
}
