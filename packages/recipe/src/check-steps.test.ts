import { createRegistry, definePlugin, memoryFiles } from '@espalier/core';
import { onnxExport } from '@espalier/onnx';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { simplifyPass } from '@espalier/passes';
import { channelPruning, magnitude, weightPruning } from '@espalier/pruners';
import { describe, expect, it } from 'vitest';
import { checkRecipe } from './check-recipe.js';
import { checkSteps } from './check-steps.js';
import { compress } from './compress.js';

const finetune = definePlugin({
  kind: 'trainer',
  id: 'finetune',
  about: 'Is never run.',
  options: {},
  create: () => ({
    train: () => {
      throw new Error('nothing may be trained');
    },
  }),
});
const registry = createRegistry([simplifyPass, magnitude, weightPruning, channelPruning, finetune, onnxExport]);
const check = (steps: readonly unknown[], rest: object = {}) =>
  checkSteps(checkRecipe({ espalier: 1, steps, ...rest }), registry);
const prune = (options: object) => ({ prune: { use: 'magnitude', with: options } });

describe('the steps of a recipe', () => {
  it('pass when every name and option is known', () => {
    const steps = [prune({ granularity: 'channel', multiple: 8 }), { train: 'finetune' }, { pass: 'simplify' }];
    expect(() => check(steps, { data: { training: 'npz:a.npz' } })).not.toThrow();
  });

  it.each([
    ['an unknown name', { pass: 'simplifi' }, /steps\[1\].pass.*Did you mean "simplify"/],
    ['an unknown option', prune({ sparsty: 0.5 }), /steps\[1\].prune.with.*Did you mean "sparsity"/],
    ['a wrong value', prune({ sparsity: 2 }), /steps\[1\].prune.with.sparsity/],
    [
      'an option of another granularity',
      prune({ multiple: 8 }),
      /steps\[1\].prune.with.multiple: expected granularity: channel for this option, found granularity: weight/,
    ],
    ['a scope of another granularity', prune({ scope: 'isomorphic' }), /steps\[1\].prune.with.scope/],
    ['training without data', { train: 'finetune' }, /steps\[1\].train: expected training data/],
  ])('are refused for %s, wherever it stands', (_, step, message) => {
    expect(() => check([{ pass: 'simplify' }, step])).toThrow(message);
  });

  it('are refused for an export that is not there', () => {
    expect(() => check([{ pass: 'simplify' }], { export: 'onix' })).toThrow(/export.*Did you mean "onnx"/);
  });

  it('are looked at before the model is', async () => {
    const recipe = checkRecipe({ espalier: 1, steps: [{ pass: 'simplify' }, prune({ sparsty: 0.5 })] });
    const [executor, files] = [createOnnxRuntime(), memoryFiles()];
    const request = { recipe, registry, executor, files, input: 'missing.onnx', output: 'small.onnx' };
    await expect(compress(request)).rejects.toMatchObject({ code: 'OPTION_UNKNOWN' });
    await executor.close();
  });
});
