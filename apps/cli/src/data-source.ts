import { problem, type Reference } from '@espalier/core';
import { parseDataSpec } from '@espalier/datasets';
import type { DataSource, PreprocessFields } from '@espalier/recipe';

/** A data spec and preprocessing flags as a recipe's data source. @throws FLAG_MISSING, DATA_SPEC. */
export function dataSource(
  flag: string,
  spec: string | undefined,
  preprocess: PreprocessFields | undefined,
): DataSource {
  if (spec === undefined) {
    throw problem('FLAG_MISSING', {
      where: flag,
      expected: 'a data spec, such as images:FOLDER or fashion-mnist:test',
      found: 'nothing',
      fix: 'See `--help` for all forms.',
    });
  }
  const reference: Reference = parseDataSpec(spec);
  const source = typeof reference === 'string' ? { use: reference } : reference;
  return preprocess ? { ...source, preprocess } : source;
}
