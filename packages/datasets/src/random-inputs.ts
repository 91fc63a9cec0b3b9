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
      about: 'sizes of symbolic dimensions, as `name=size` (`sequence=64`)',
    },
    values: {
      type: 'texts',
      default: [],
      about: 'inputs that are one number everywhere, as `name=number` (`sr=16000`)',
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
    const dims = numbersIn('dims', options.dims, {
      example: 'sequence=64',
      fits: (size) => Number.isInteger(size) && size > 0,
    });
    const values = numbersIn('values', options.values, { example: 'sr=16000', fits: Number.isFinite });
    const whole = !isBatchFirst(context.inputs);
    const fields = new Map(context.inputs.map((port) => [port.name, sampleOf(port, { dims, whole })]));
    const { distribution, below } = options;
    return randomSet({ size: options.take, fields, values, seed: context.seed + options.seed, distribution, below });
  },
});

/** The type of one sample, all sizes known. */
interface Sample extends ValueInfo {
  readonly shape: readonly number[];
}

function numbersIn(
  option: string,
  given: readonly string[],
  { example, fits }: { readonly example: string; readonly fits: (value: number) => boolean },
): ReadonlyMap<string, number> {
  return new Map(
    given.map((text) => {
      const at = text.lastIndexOf('=');
      const value = Number(text.slice(at + 1));
      if (at > 0 && at < text.length - 1 && fits(value)) return [text.slice(0, at), value];
      throw badRequest(`data set random, option ${option}`, { expected: `texts like ${example}`, found: `"${text}"` });
    }),
  );
}

/**
 * Whether samples can be stacked along the first axis of every input. Where they cannot (a recurrent state whose batch
 * comes second, a scalar such as the sample rate), a sample is a whole feed: every field has the full shape of its
 * input, with one for the batch.
 */
function isBatchFirst(inputs: readonly Port[]): boolean {
  const leads = new Set(inputs.map(({ shape }) => shape?.[0]));
  return leads.size === 1 && !leads.has(undefined);
}

// Names under which exporters write dimensions of text models; 64 tokens are enough to run every path.
const sequence = /seq|length|len|time|token|position|past/i;
const batch = /^(n|b|bs)$|batch/i;

function sampleOf(
  port: Port,
  { dims, whole }: { readonly dims: ReadonlyMap<string, number>; readonly whole: boolean },
): Sample {
  const { dtype, shape } = port;
  if (!(isFloat(dtype) || isInteger(dtype) || dtype === 'bool') || dtype === 'float8e8m0') {
    throw badShape(`data set random, input "${port.name}"`, { expected: 'numbers', found: dtype });
  }
  if (!shape) {
    throw badShape(`data set random, input "${port.name}"`, {
      expected: 'a known rank',
      found: 'an input whose rank is not known',
      fix: 'Give the data as npz.',
    });
  }
  return { dtype, shape: (whole ? shape : shape.slice(1)).map((dim) => sizeFor(dim, port, dims)) };
}

function sizeFor(dim: Dim, port: Port, dims: ReadonlyMap<string, number>): number {
  if (typeof dim === 'number') return dim;
  const given = dims.get(dim) ?? (batch.test(dim) ? 1 : sequence.test(dim) ? 64 : undefined);
  if (given !== undefined) return given;
  throw badShape(`data set random, input "${port.name}"`, {
    expected: 'sizes for all dimensions but the batch',
    found: `[${port.shape?.join(',')}]`,
    fix: `Give the option dims: ["${dim}=SIZE"], or write random:N,${dim}=SIZE.`,
  });
}

function randomSet(parts: {
  readonly size: number;
  readonly fields: ReadonlyMap<string, Sample>;
  readonly values: ReadonlyMap<string, number>;
  readonly seed: number;
  readonly distribution: 'normal' | 'uniform';
  readonly below: number;
}): Dataset {
  const root = createRandom(parts.seed).fork('random inputs');
  const sample = (name: string, { dtype, shape }: Sample, index: number): Tensor => {
    // A source of its own for each sample, so that it does not depend on what was read before.
    const random = root.fork(`${name}\0${index}`);
    const values = new Float64Array(sizeOf(shape));
    const fixed = parts.values.get(name);
    if (fixed !== undefined) return fromNumbers(dtype, [1, ...shape], values.fill(fixed));
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
