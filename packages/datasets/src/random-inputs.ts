import {
  createRandom,
  type Dataset,
  type Dim,
  definePlugin,
  fromNumbers,
  isFloat,
  isInteger,
  type Port,
  sizeOf,
  type Tensor,
  type ValueInfo,
} from '@espalier/core';
import { badRequest, badShape } from './errors.js';
import { checkIndices, joinRows } from './tensor-set.js';

/** Random numbers shaped as the inputs of the model. */
export const randomInputs = definePlugin({
  kind: 'dataset',
  id: 'random',
  about: 'Random numbers shaped as the inputs of the model: for timing and smoke tests, not for ranges that matter.',
  options: {
    take: { type: 'integer', default: 32, min: 1, max: 2 ** 24, about: 'how many samples to make' },
    seed: { type: 'integer', default: 0, min: 0, about: 'added to the seed of the run, for other numbers' },
    distribution: {
      type: 'choice',
      of: ['normal', 'uniform'],
      default: 'normal',
      about: 'normal has mean 0 and variance 1, uniform goes from 0 to 1; floats only',
    },
    below: {
      type: 'integer',
      default: 8,
      min: 1,
      max: 2 ** 31 - 1,
      about: 'integer inputs are from 0 to one less than this; keep it within the vocabulary',
    },
    dims: {
      type: 'texts',
      default: [],
      about: 'sizes of symbolic dimensions other than the batch, as `name=size` (`sequence=64`)',
    },
  },
  create: (options) => async (context) => {
    if (!context.inputs?.length) {
      throw badShape('data set random', {
        expected: 'a model, whose inputs say what to make',
        found: 'none',
        fix: 'Random data only goes with a model.',
      });
    }
    const dims = dimsIn(options.dims);
    const fields = new Map(context.inputs.map((port) => [port.name, sampleOf(port, dims)]));
    const { distribution, below } = options;
    return randomSet({ size: options.take, fields, seed: context.seed + options.seed, distribution, below });
  },
});

/** The type of one sample, all sizes known. */
interface Sample extends ValueInfo {
  readonly shape: readonly number[];
}

function dimsIn(given: readonly string[]): ReadonlyMap<string, number> {
  return new Map(
    given.map((text) => {
      const match = /^(.+)=(\d{1,9})$/.exec(text);
      if (match && Number(match[2]) > 0) return [match[1]!, Number(match[2])];
      throw badRequest('data set random, option dims', { expected: 'texts like sequence=64', found: `"${text}"` });
    }),
  );
}

// Names under which exporters write dimensions of text models; 64 tokens are enough to run every path.
const sequence = /seq|length|len|time|token|position|past/i;

function sampleOf(port: Port, dims: ReadonlyMap<string, number>): Sample {
  const { dtype } = port;
  if (!(isFloat(dtype) || isInteger(dtype) || dtype === 'bool') || dtype === 'float8e8m0') {
    throw badShape(`data set random, input "${port.name}"`, { expected: 'numbers', found: dtype });
  }
  if (!port.shape?.length) {
    throw badShape(`data set random, input "${port.name}"`, {
      expected: 'a shape with a batch axis first',
      found: port.shape ? 'a scalar' : 'an input whose rank is not known',
      fix: 'Give the data as npz.',
    });
  }
  return { dtype, shape: port.shape.slice(1).map((dim) => sizeFor(dim, port, dims)) };
}

function sizeFor(dim: Dim, port: Port, dims: ReadonlyMap<string, number>): number {
  if (typeof dim === 'number') return dim;
  const given = dims.get(dim) ?? (sequence.test(dim) ? 64 : undefined);
  if (given !== undefined) return given;
  throw badShape(`data set random, input "${port.name}"`, {
    expected: 'sizes for all dimensions but the first',
    found: `[${port.shape?.join(',')}]`,
    fix: `Give the option dims: ["${dim}=SIZE"].`,
  });
}

function randomSet(parts: {
  readonly size: number;
  readonly fields: ReadonlyMap<string, Sample>;
  readonly seed: number;
  readonly distribution: 'normal' | 'uniform';
  readonly below: number;
}): Dataset {
  const root = createRandom(parts.seed).fork('random inputs');
  const sample = (name: string, { dtype, shape }: Sample, index: number): Tensor => {
    // A source of its own for each sample, so that it does not depend on what was read before.
    const random = root.fork(`${name}\0${index}`);
    const values = new Float64Array(sizeOf(shape));
    const top = dtype === 'bool' ? 2 : Math.min(parts.below, largest(dtype));
    const draw = isFloat(dtype)
      ? parts.distribution === 'normal'
        ? random.normal
        : random.next
      : () => random.below(top);
    for (let i = 0; i < values.length; i++) values[i] = draw();
    return fromNumbers(dtype, [1, ...shape], values);
  };
  return {
    name: 'random',
    size: parts.size,
    fields: parts.fields,
    async read(indices) {
      checkIndices('random', indices, parts.size);
      return new Map(
        [...parts.fields].map(([name, field]) => [name, joinRows(indices.map((index) => sample(name, field, index)))]),
      );
    },
  };
}

// One more than the largest value of the narrow integers.
const largest = (dtype: string): number =>
  ({ int4: 8, uint4: 16, int2: 2, uint2: 4, int8: 128, uint8: 256 })[dtype] ?? 2 ** 31;
