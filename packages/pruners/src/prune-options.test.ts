import { createRegistry, resolveOptions } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { readGranularity } from './granularity.js';
import { magnitude } from './magnitude.js';
import { pruneOptions, readPruneOptions, type WrittenPruneOptions } from './prune-options.js';

const pruner = createRegistry([magnitude]).find('pruner', 'magnitude')();
const read = (given: object) =>
  readPruneOptions(resolveOptions('prune', pruneOptions, given) as unknown as WrittenPruneOptions, pruner); // the table says what it resolves to

describe('the options of the driver as data', () => {
  it('become the options of prune', () => {
    expect(read({})).toMatchObject({ sparsity: 0.5, granularity: 'weight', scope: 'layer', overrides: {} });
    expect(read({ granularity: '1:4' })).not.toHaveProperty('sparsity');
    expect(read({ overrides: ['conv1=0', 'fc*=0.9', 'a=b=2:4'] }).overrides).toEqual({
      conv1: 0,
      'fc*': 0.9,
      'a=b': { n: 2, m: 4 },
    });
  });

  it('are refused when they cannot be read', () => {
    expect(() => read({ overrides: ['conv1=half'] })).toThrowErrorMatchingInlineSnapshot(
      `[EspalierError: prune.overrides: expected "PATTERN=SPARSITY" or "PATTERN=N:M", found "conv1=half". For example "conv1=0" leaves conv1 as it is, and "fc*=0.9" prunes 90 % of every fc layer.]`,
    );
    for (const overrides of ['conv1', '=0.5', 'conv1=', 'conv1= ']) {
      expect(() => read({ overrides: [overrides] })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    }
    for (const text of ['', '4:2', '0:4', '2:999', '2:4:8', 'block', 'channel']) {
      expect(() => readGranularity(text)).toThrow(expect.objectContaining({ code: 'PRUNE_GRANULARITY' }));
    }
  });
});
