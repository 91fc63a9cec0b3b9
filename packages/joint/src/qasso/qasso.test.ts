import { createOnnxRuntime } from '@espalier/onnxruntime';
import { createTensorCore } from '@espalier/tensor';
import { afterAll, describe, expect, test } from 'vitest';
import { jointRun, optionsOf } from '../../test/joint-run.js';
import { latticeAt } from '../lattice-at.js';
import { widthOf } from '../width.js';
import { readMemory, unitStates, unitsIn } from './memory.js';
import { permitted, type QassoPlan } from './plan.js';
import { momentOf } from './stages.js';
import { eachRun } from './unit-parts.js';

const executor = createOnnxRuntime({ threads: 1 });
afterAll(() => executor.close());

/** Widths of every channel of every quantizer. */
const widthsIn = (weights: Parameters<typeof latticeAt>[0], { quantizers }: QassoPlan) =>
  quantizers.map((quantizer) => {
    const at = latticeAt(weights, quantizer);
    return Array.from({ length: quantizer.channels }, (_, channel) => widthOf(at(channel)));
  });

const choices = [
  ['channels', {}],
  ['tensors', { granularity: 'tensor' }],
  ['weights alone with an exponent', { activations: { quantize: false }, exponent: true, bits: { min: 3, max: 6 } }],
  ['narrow activations', { activations: { min: 4, max: 6 }, projection: { periods: 3 } }],
] as const;

describe.each(choices)('QASSO with %s', (_, written) => {
  const options = optionsOf({ sparsity: 0.4, joint: { periods: 3 }, ...written });

  test('keeps every width inside what its stage permits, after every step', async () => {
    const stages = new Set<string>();
    let reached = 0;
    const { plan, trained } = await jointRun(executor, {
      options,
      look({ update, weights, memory }, of) {
        const moment = momentOf(update.step, of.stages);
        stages.add(moment.stage);
        if (moment.stage === 'warm') return;
        const fixed = readMemory(memory, of).widths;
        widthsIn(weights, of).forEach((widths, i) => {
          const range = permitted(of.quantizers[i]!, { moment, fixed: fixed[i]!, plan: of });
          for (const width of widths) {
            expect(width).toBeGreaterThan(range.min - 1e-4);
            expect(width).toBeLessThan(range.max + 1e-4);
          }
          reached++;
        });
      },
    });
    expect([...stages]).toEqual(['warm', 'projection', 'joint', 'cool']);
    expect(reached).toBeGreaterThan(100);
    const memory = readMemory(trained.memory!, plan);
    for (const width of memory.widths) expect(Number.isInteger(width)).toBe(true);
  });

  test('removes as many units as asked, some in every period, and keeps them at zero', async () => {
    const counts: number[] = [];
    const { plan, trained } = await jointRun(executor, {
      options,
      look({ update, weights, memory }, of) {
        const moment = momentOf(update.step, of.stages);
        const { units } = readMemory(memory, of);
        const removed = units.map((own) => unitsIn(own, unitStates.removed));
        if (moment.stage === 'joint' && moment.at === moment.length - 1) counts.push(removed.flat().length);
        of.groups.forEach(({ parts }, g) => {
          for (const part of parts) {
            const { data } = weights.get(part.value)!;
            for (const unit of removed[g]!) {
              eachRun(part, unit, (from, to) => {
                for (let i = from; i < to; i++) expect(data[i]).toBe(0);
              });
            }
          }
        });
      },
    });
    const total = plan.groups.reduce((sum, { units }) => sum + units, 0);
    expect(counts).toHaveLength(3);
    expect(counts[0]).toBeGreaterThan(0);
    expect(counts[1]).toBeGreaterThan(counts[0]!);
    expect(counts[2]).toBe(Math.round(0.4 * total));
    const removed = readMemory(trained.memory!, plan).units.map((own) => unitsIn(own, unitStates.removed).length);
    expect(removed.reduce((a, b) => a + b, 0)).toBe(counts[2]);
  });
});

test('both executors train to the same network but for rounding', async () => {
  const options = optionsOf({ epochs: 2, sparsity: 0.3, joint: { periods: 2 }, projection: { periods: 1 } });
  const other = createTensorCore();
  const [one, two] = [await jointRun(executor, { options }), await jointRun(other, { options, calibrateOn: executor })];
  await other.close();
  const [a, b] = [one, two].map(({ trained }) => trained.history.at(-1)!.loss);
  expect(a).toBeCloseTo(b!, 1);
});
