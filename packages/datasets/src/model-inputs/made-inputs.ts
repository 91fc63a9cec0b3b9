import { createRandom, type Dataset, reshaped } from '@espalier/core';
import { checkIndices, joinRows } from '../tensor-set.js';
import { fillTensor } from './fill-tensor.js';
import { describePlannedInput, type InputPlan } from './input-plan.js';

/**
 * A data set of made inputs. Where the model stacks samples along a first axis, a sample is one row; otherwise it is a
 * whole feed, and its fields have the full shapes of the inputs.
 */
export function madeInputs(plan: InputPlan, { size, seed }: { readonly size: number; readonly seed: number }): Dataset {
  const root = createRandom(seed).fork('random inputs');
  const lead = plan.stacked ? 1 : 0;
  const fields = new Map(
    [...plan.inputs].map(([name, { dtype, shape }]) => [name, { dtype, shape: shape.slice(lead) }]),
  );
  return {
    name: 'random',
    size,
    about: [...plan.inputs].map(([name, input]) => describePlannedInput(name, input)),
    fields,
    async read(indices) {
      checkIndices('random', indices, size);
      return new Map(
        [...plan.inputs].map(([name, input]) => {
          const row = { ...input, shape: input.shape.slice(lead) };
          // A source of its own for each sample, so that it does not depend on what was read before.
          const rows = indices.map((index) => {
            const made = fillTensor(row, root.fork(`${name}\0${index}`));
            return reshaped(made, [1, ...row.shape]);
          });
          return [name, joinRows(rows)];
        }),
      );
    },
  };
}
