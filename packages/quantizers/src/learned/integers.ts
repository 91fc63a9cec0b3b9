import { definePlugin, type Graph, type Note, opsetOf } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { convertOpset } from '@espalier/passes';
import { targetOption, targetOr } from '../target-option.js';
import { settleLattices } from './settle-lattices.js';
import { type IntegerSettings, writeIntegers } from './write-integers.js';

/** Quantizer: what learned quantizers compute, written as integers with QuantizeLinear and DequantizeLinear. */
export const integersQuantizer = definePlugin({
  kind: 'quantizer',
  id: 'integers',
  about: 'Writes learned quantizers as QDQ with integer weights: the file computes what the training graph did.',
  options: {
    storage: {
      type: 'choice',
      of: ['smallest', 'int8'],
      default: 'smallest',
      about: 'weights of 4 bits or fewer as int4 that the runtime unpacks when it loads the file, or all in int8',
    },
    ...targetOption,
  },
  create: ({ target, storage }) => {
    const settings: IntegerSettings = { target: targetOr(target), packed: storage === 'smallest' };
    return (given) => ({
      graph: given,
      needs: [],
      apply: () => writtenIntegers(given, settings),
    });
  },
});

/** The file of a graph with fake-quantizers, and what became of each. The graph itself where it has none. */
export function writtenIntegers(
  given: Graph,
  settings: IntegerSettings,
): { readonly graph: Graph; readonly notes: readonly Note[] } {
  if (!given.nodes.some(({ op }) => op === 'espalier::FakeQuantize')) {
    const reason = 'The model has no learned quantizers: there is nothing to write as integers.';
    return { graph: given, notes: [{ outcome: 'warning', reason }] };
  }
  const opset = settings.packed ? 21 : 13;
  const current = inferShapes(opsetOf(given) < opset ? convertOpset(given, opset) : given);
  return writeIntegers(settleLattices(current), settings);
}
