import { didYouMean, problem } from '@espalier/core';
import { defineRecipe, type FolderRecipe, type Recipe } from '@espalier/recipe';

/** A recipe that ships with Espalier. */
export interface Preset {
  readonly about: string;
  readonly recipe: Recipe;
}

const simplify = { pass: 'simplify' } as const;
/** After all that cuts: shortcuts then have a weight. */
const convolve = { pass: 'convolve-shortcuts' } as const;

/** A short training from a model that is good already. */
const trained = { train: { use: 'finetune', with: { epochs: 3, learningRate: 0.01 } } } as const;

/** Recipes by name. */
export const presets = {
  int8: {
    about: '8-bit weights and activations with scales fixed by calibration: the fastest on processors.',
    recipe: defineRecipe({ espalier: 1, steps: [simplify, convolve, { quantize: 'static' }] }),
  },
  'qat-int8': {
    about: '8-bit weights and activations whose scales are trained with the weights; needs training data.',
    recipe: defineRecipe({ espalier: 1, steps: [{ quantize: 'learned' }, trained, { quantize: 'integers' }] }),
  },
  'qat-int4': {
    about: '4-bit weights and 8-bit activations whose scales are trained with the weights; needs training data.',
    recipe: defineRecipe({
      espalier: 1,
      steps: [{ quantize: { use: 'learned', with: { weights: { bits: 4 } } } }, trained, { quantize: 'integers' }],
    }),
  },
  'int8-dynamic': {
    about: '8-bit weights, activations quantized while running: no data needed; for transformers and recurrent nets.',
    recipe: defineRecipe({ espalier: 1, steps: [simplify, { quantize: 'dynamic' }] }),
  },
  'int4-weights': {
    about: 'matrix weights in 4 bits, block by block; activations stay float: for transformers bound by memory.',
    recipe: defineRecipe({ espalier: 1, steps: [simplify, { quantize: 'weights' }] }),
  },
  'int4-gptq': {
    about:
      'as `int4-weights`, each weight rounded to make up for the errors of others (GPTQ); better with calibration.',
    recipe: defineRecipe({
      espalier: 1,
      steps: [simplify, { quantize: { use: 'weights', with: { rounding: 'gptq' } } }],
    }),
  },
  'int4-awq': {
    about: 'as `int4-weights`, with inputs of large magnitude scaled first (AWQ); better with calibration.',
    recipe: defineRecipe({
      espalier: 1,
      steps: [simplify, { quantize: { use: 'weights', with: { rounding: 'awq' } } }],
    }),
  },
  fp16: {
    about: 'weights in 16-bit floats: half the size, hardly any error.',
    recipe: defineRecipe({ espalier: 1, steps: [simplify, { quantize: 'fp16' }] }),
  },
  'prune-50': {
    about: 'half of the channels of every group physically removed, layers that lost inputs refitted if data is given.',
    recipe: defineRecipe({
      espalier: 1,
      steps: [
        { prune: { use: 'magnitude', with: { granularity: 'channel', sparsity: 0.5, multiple: 8 } } },
        simplify,
        convolve,
      ],
    }),
  },
  'prune-int8': {
    about: 'half of the weights set to zero, then `int8`; zeros shrink the file under gzip only.',
    recipe: defineRecipe({
      espalier: 1,
      steps: [simplify, { prune: { use: 'magnitude', with: { sparsity: 0.5 } } }, convolve, { quantize: 'static' }],
    }),
  },
  geta: {
    about:
      'half of the channels removed and 4 to 8 bits per layer learned in one training of 20 epochs; needs training data.',
    recipe: defineRecipe({ espalier: 1, steps: [{ train: 'geta' }] }),
  },
} as const satisfies Readonly<Record<string, Preset>>;

/** A folder recipe that ships with Espalier: a preset whose output is a folder. */
export interface FolderPreset {
  readonly about: string;
  readonly recipe: FolderRecipe;
}

const dynamic = { use: 'dynamic', with: { weights: { type: 'uint8' } } } as const;
/** Computes in float16, as GPUs like it, and stores what must compute in float32 or stands in a branch. */
const half = [{ quantize: { use: 'fp16', with: { compute: 'float16' } } }, { quantize: 'fp16' }] as const;
const bnb4 = { use: 'weights', with: { codebook: 'nf4', block: 64 } } as const;

/** The forms of a model by the `dtype` under which transformers.js loads them. */
const webForms: FolderRecipe['forms'] = {
  fp32: { ending: '', recipe: defineRecipe({ espalier: 1, steps: [simplify] }) },
  fp16: { ending: '_fp16', recipe: defineRecipe({ espalier: 1, steps: [simplify, ...half] }) },
  q8: { ending: '_quantized', recipe: presets['int8-dynamic'].recipe },
  int8: { ending: '_int8', recipe: presets['int8-dynamic'].recipe },
  uint8: { ending: '_uint8', recipe: defineRecipe({ espalier: 1, steps: [simplify, { quantize: dynamic }] }) },
  q4: { ending: '_q4', recipe: presets['int4-weights'].recipe },
  q4f16: {
    ending: '_q4f16',
    recipe: defineRecipe({ espalier: 1, steps: [simplify, { quantize: 'weights' }, ...half] }),
  },
  bnb4: { ending: '_bnb4', recipe: defineRecipe({ espalier: 1, steps: [simplify, { quantize: bnb4 }] }) },
};

/** Folder recipes by name. */
export const folderPresets = {
  web: {
    about: 'a folder with every form that transformers.js loads: fp32, fp16, q8, int8, uint8, q4, q4f16, bnb4.',
    recipe: { espalier: 1, dtypes: Object.keys(webForms), externalData: 'auto', forms: webForms },
  },
} as const satisfies Readonly<Record<string, FolderPreset>>;

/** The name of a preset. */
export type PresetName = keyof typeof presets;

/** A preset by name. @throws PRESET_UNKNOWN with what exists and the nearest spelling. */
export function findPreset(name: string): Preset {
  if (Object.hasOwn(presets, name)) return presets[name as PresetName]; // checked just above
  const names = [...Object.keys(presets), ...Object.keys(folderPresets)];
  throw problem('PRESET_UNKNOWN', {
    where: `preset "${name}"`,
    expected: `one of ${names.join(', ')}`,
    found: `"${name}"`,
    fix: `${didYouMean(name, names)}Or write a recipe.`,
  });
}

/** A folder preset by name; undefined where there is none. */
export const findFolderPreset = (name: string): FolderPreset | undefined =>
  Object.hasOwn(folderPresets, name) ? folderPresets[name as keyof typeof folderPresets] : undefined; // just checked
