import { definePlugin, didYouMean, type Port } from '@espalier/core';
import { badRequest, badShape, noInputsFound } from './errors.js';
import { findInputs } from './model-inputs/find-inputs.js';
import { madeInputs } from './model-inputs/made-inputs.js';
import { openSizes } from './model-inputs/open-sizes.js';

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
      type: 'pairs',
      of: { type: 'integer', min: 1 },
      default: [],
      about: 'sizes of symbolic dimensions, as `name=size` (`sequence=64`)',
    },
    values: {
      type: 'pairs',
      of: { type: 'number' },
      default: [],
      about: 'inputs that are one number everywhere, as `name=number` (`sr=16000`)',
    },
  },
  create: (options) => async (context) => {
    const { values: settled, tensors } = context.settled ?? { values: new Map(), tensors: new Map() };
    const [dims, values] = [new Map(options.dims), new Map([...new Map(options.values), ...settled])];
    if (!context.inputs) {
      throw badShape('data set random', {
        expected: 'a model, whose inputs say what to make',
        found: 'none',
        fix: 'Random data only goes with a model.',
      });
    }
    const { take: size, seed, distribution, below } = options;
    checkNames(context.inputs, [...dims.keys(), ...new Map(options.values).keys()]);
    const { graph, open } = context.model ?? {};
    const session = await open?.();
    const found = await findInputs(
      context.inputs,
      { dims, values, tensors, distribution, below },
      { ...(graph ? { graph } : {}), ...(session ? { session } : {}) },
    );
    if (!found.plan) throw noInputsFound(found.reason, openSizes(context.inputs));
    return madeInputs(found.plan, { size, seed: context.seed + seed });
  },
});

/** Refuses sizes and values of names that the model does not have. @throws DATA_SPEC. */
function checkNames(inputs: readonly Port[], written: readonly string[]): void {
  const known = [...new Set([...openSizes(inputs).map(({ name }) => name), ...inputs.map(({ name }) => name)])];
  const name = written.find((each) => !known.includes(each));
  if (name === undefined) return;
  throw badRequest('data set random', {
    expected: known.length ? `sizes or values of ${known.join(', ')}` : 'no sizes and values: the model has no inputs',
    found: `"${name}"`,
    fix: didYouMean(name, known),
  });
}
