import {
  type Dataset,
  fromNumbers,
  type Port,
  problem,
  type SettledInputs,
  sizeOf,
  type Tensor,
  toNumbers,
} from '@espalier/core';

/**
 * A data set in which the user's values and arrays stand in place of its own fields. An array has one sample in its
 * first axis, which every sample then gets. @throws INPUT_SHAPE for content that cannot be stacked sample by sample.
 */
export function settleInputs(dataset: Dataset, ports: readonly Port[], { values, tensors }: SettledInputs): Dataset {
  const rows = ports.flatMap((port) => {
    const tensor = tensors.get(port.name);
    const value = values.get(port.name);
    if (!tensor && value === undefined) return [];
    return [[port.name, tensor ? rowOf(port, tensor) : filled(port, value!)] as const]; // one of the two is there
  });
  if (rows.length === 0) return dataset;
  return {
    ...dataset,
    fields: new Map([...dataset.fields, ...rows.map(([name, { dtype, shape }]) => [name, { dtype, shape }] as const)]),
    async read(indices) {
      const read = new Map(await dataset.read(indices));
      for (const [name, row] of rows) read.set(name, repeated(row, indices.length));
      return read;
    },
  };
}

function rowOf({ name, dtype, shape }: Port, given: Tensor): Tensor {
  if (given.shape[0] !== 1) {
    throw problem('INPUT_SHAPE', {
      where: `--input ${name}`,
      expected: `an array of one sample, [${['1', ...(shape ?? []).slice(1)].join(',')}], beside data that has samples`,
      found: `[${given.shape.join(',')}]`,
      fix: `Put ${name} into the data: npz:FILE with one row a sample.`,
    });
  }
  return fromNumbers(dtype, given.shape.slice(1), Float64Array.from(toNumbers(given)));
}

function filled({ name, dtype, shape }: Port, value: number): Tensor {
  const row = shape?.slice(1).map((dim) => (typeof dim === 'number' ? dim : 1));
  if (!row || shape?.length === 0) {
    throw problem('INPUT_SHAPE', {
      where: `--input ${name}`,
      expected: 'an input with one row a sample, beside data that has samples',
      found: `[${shape?.join(',') ?? '...'}]`,
      fix: 'Leave --data out: made inputs take every --input.',
    });
  }
  return fromNumbers(dtype, row, new Float64Array(sizeOf(row)).fill(value));
}

function repeated(row: Tensor, times: number): Tensor {
  const [once, size] = [toNumbers(row), sizeOf(row.shape)];
  const all = new Float64Array(times * size);
  for (let i = 0; i < times; i++) all.set(once, i * size);
  return fromNumbers(row.dtype, [times, ...row.shape], all);
}
