import { createRegistry, resolveReference } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import * as datasets from './index.js';

describe('the package', () => {
  it('exports exactly this', () => {
    expect(Object.keys(datasets).sort()).toEqual([
      'balancedOrder',
      'batchesOf',
      'cifar10',
      'cifar10Classes',
      'decodeImage',
      'describePlannedInput',
      'fashionMnist',
      'findInputs',
      'fitToInput',
      'idx',
      'images',
      'isOpen',
      'labelsOf',
      'madeInputs',
      'mnist',
      'npy',
      'npz',
      'openSizes',
      'parseDataSpec',
      'preprocess',
      'randomInputs',
      'readArrays',
      'shuffled',
      'sizeName',
      'splitInTwo',
      'subset',
      'synthetic',
      'takeBalanced',
      'tensorSet',
    ]);
  });

  it('has a loader for every form of data specification', () => {
    const { cifar10, fashionMnist, idx, images, mnist, npy, npz, randomInputs, synthetic } = datasets;
    const registry = createRegistry([cifar10, fashionMnist, idx, images, mnist, npy, npz, randomInputs, synthetic]);
    const specs = [
      'fashion-mnist:train:9',
      'mnist',
      'synthetic:test',
      'idx:a,b:3',
      'cifar10:d',
      'images:d',
      'npz:f',
      'npy:f:2',
      'random:4',
    ];
    for (const text of specs) {
      const reference = datasets.parseDataSpec(text);
      expect(resolveReference(registry, { kind: 'dataset', reference, where: '--data' })).toBeTypeOf('function');
    }
    expect(registry.ids('dataset').every((id) => specs.some((text) => text.startsWith(id)))).toBe(true);
  });
});
