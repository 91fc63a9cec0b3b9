import { definePlugin, type Target } from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { onnxruntimeTarget } from '@espalier/onnxruntime/target';
import { dynamicQuantizer, minmax, staticQuantizer, weightsQuantizer } from '@espalier/quantizers';
import { afterAll, describe, expect, it } from 'vitest';
import { describeTarget, failuresOf, runKit, type TargetUnderTest } from './index.js';

const executor = createOnnxRuntime({ threads: 1 });
afterAll(() => executor.close());

const quantizers: TargetUnderTest['quantizers'] = {
  static: (target) => staticQuantizer({ target, activations: { observer: minmax() } }),
  dynamic: (target) => dynamicQuantizer({ target }),
  weights: (target) => weightsQuantizer({ target, smallest: 0 }),
};

runKit(describeTarget(onnxruntimeTarget, { quantizers, executor }), { describe, it });

describe('the kit of targets catches one that', () => {
  const good = onnxruntimeTarget();
  const failing = async (more: Partial<Target>, test: TargetUnderTest = {}) => {
    const plugin = definePlugin({
      kind: 'target',
      id: 'bad',
      about: 'A runtime that is described wrongly.',
      options: {},
      create: (): Target => ({ ...good, ...more }),
    });
    const failures = await failuresOf(describeTarget(plugin, test));
    return failures.map((line) => line.slice('target bad: '.length).split(/ \(|: /)[0]);
  };

  it('passes when nothing is wrong', async () => {
    expect(await failing({})).toEqual([]);
  });

  it.each<[string, Partial<Target>, string]>([
    [
      'knows no operator set of ONNX',
      { opsets: new Map([['com.microsoft', 1]]) },
      'has a name, and knows operator sets by their version',
    ],
    [
      'lists a type twice',
      { integer: { ...good.integer, weights: [...good.integer.weights, good.integer.weights[0]!] } },
      'has each type of codes once, and storage in such types',
    ],
    [
      'has kernels and nothing for them to compute on',
      { integer: { ...good.integer, activations: [{ type: 'int8', fused: false, zeroPoint: 'any' }] } },
      'has integer kernels only where it has codes that they compute on',
    ],
    [
      'misspells an op',
      { integer: { ...good.integer, kernels: { Convolution: {} } } },
      'names ops that exist, in domains that it knows',
    ],
    [
      'packs ops of a domain that it does not know',
      { opsets: new Map([['', 21]]) },
      'names ops that exist, in domains that it knows',
    ],
    [
      'refuses nodes without a word',
      { integer: { ...good.integer, kernels: { Conv: { obstacle: () => '' } } } },
      'says in words what a kernel does not take',
    ],
  ])('%s', async (_, more, check) => {
    expect(await failing(more)).toContain(check);
  });

  it('is not kept to by a quantizer', async () => {
    const old = {
      opsets: new Map([
        ['', 20],
        ['com.microsoft', 1],
      ]),
      storage: { types: ['uint8'], scales: 'channel' },
    } as const;
    // A quantizer that writes for another target.
    const wrong = { weights: () => weightsQuantizer({ form: 'qdq', smallest: 0 }) };
    expect(await failing(old, { quantizers: wrong })).toContain('is kept to by weights');
  });
});
