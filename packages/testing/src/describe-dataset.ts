import { type AnyPlugin, type Dataset, type DatasetContext, memoryFiles } from '@espalier/core';
import { fingerprint } from './graph-fingerprint.js';
import { type Check, type Kit, must, mustFail } from './kit.js';
import { build, type PluginUnderTest, pluginChecks } from './plugin-checks.js';

/** Options of the kit for data sets. */
export interface DatasetUnderTest extends PluginUnderTest {
  /** Files, inputs of a model and the seed; no files and seed 1 where left out. */
  readonly context?: Partial<DatasetContext>;
}

/** The contract of data sets: give the same samples for the same indices, alone or together. */
export function describeDataset(plugin: AnyPlugin<'dataset'>, test: DatasetUnderTest = {}): Kit {
  const where = `dataset ${plugin.id}`;
  const open = (): Promise<Dataset> => build(plugin, test)({ files: memoryFiles(), seed: 1, ...test.context });
  const on = (name: string, run: (dataset: Dataset) => Promise<void>): Check => ({
    name,
    run: async () => run(await open()),
  });
  return {
    about: where,
    checks: [
      ...pluginChecks(plugin, test),
      on('says how many samples it has and what they hold', async ({ size, fields, name }) => {
        must(Number.isInteger(size) && size > 0, where, { expected: 'a size of 1 or more', found: size });
        must(fields.size > 0 && name.length > 0, where, {
          expected: 'a name and fields',
          found: [name, ...fields.keys()],
        });
      }),
      on('gives tensors of the fields it names, samples along the first axis', async (dataset) => {
        const indices = [0, dataset.size - 1, 0];
        const read = await dataset.read(indices);
        for (const [field, { dtype, shape = [] }] of dataset.fields) {
          const tensor = read.get(field);
          const fits =
            tensor?.dtype === dtype &&
            tensor.shape.length === shape.length + 1 &&
            tensor.shape[0] === indices.length &&
            shape.every((dim, i) => typeof dim === 'string' || tensor.shape[i + 1] === dim);
          must(fits, `${where}, field ${field}`, {
            expected: `${dtype}[${[indices.length, ...shape]}]`,
            found: tensor ? `${tensor.dtype}[${tensor.shape}]` : 'nothing',
          });
        }
        must(read.size === dataset.fields.size, where, {
          expected: [...dataset.fields.keys()].join(),
          found: [...read.keys()].join(),
        });
      }),
      on('gives the same sample alone and among others, again and when opened again', async (dataset) => {
        const last = dataset.size - 1;
        const together = await dataset.read([last, 0]);
        const again = await (await open()).read([last, 0]);
        must(fingerprint(together) === fingerprint(again), where, {
          expected: 'the same samples when opened again',
          found: 'others',
        });
        const alone = await dataset.read([0]);
        for (const [field, tensor] of alone) {
          const second = together.get(field)?.data.slice(tensor.data.length);
          must(fingerprint(second) === fingerprint(tensor.data), `${where}, field ${field}`, {
            expected: 'sample 0',
            found: 'another',
          });
        }
      }),
      on('refuses indices that it does not have', async (dataset) => {
        for (const index of [dataset.size, -1, 0.5])
          await mustFail('DATA_INDEX', `${where}, index ${index}`, () => dataset.read([index]));
      }),
    ],
  };
}
