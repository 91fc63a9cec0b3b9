import { type Dataset, isInteger } from '@espalier/core';

/** Whether the samples of a data set are labelled with class numbers. */
export function hasClasses({ fields }: Dataset): boolean {
  const label = fields.get('label');
  return label !== undefined && isInteger(label.dtype);
}
