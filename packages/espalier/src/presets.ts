import { didYouMean, problem } from '@espalier/core';
import { defineRecipe, type Recipe } from '@espalier/recipe';

/** A recipe that ships with Espalier. */
export interface Preset {
  readonly about: string;
  /** Whether calibration data makes it better; without it, ranges are measured on made inputs. */
  readonly needsData: boolean;
  readonly recipe: Recipe;
}

const simplify = { pass: 'simplify' } as const;
/** After all that cuts: shortcuts then have a weight. */
const convolve = { pass: 'convolve-shortcuts' } as const;

/** Recipes by name. */
export const presets = {
  int8: {
    about: '8-bit weights and activations with scales fixed by calibration: the fastest on processors.',
    needsData: true,
    recipe: defineRecipe({ espalier: 1, steps: [simplify, convolve, { quantize: 'static' }] }),
  },
  'int8-dynamic': {
    about: '8-bit weights, activations quantized while running: no data needed; for transformers and recurrent nets.',
    needsData: false,
    recipe: defineRecipe({ espalier: 1, steps: [simplify, { quantize: 'dynamic' }] }),
  },
  'int4-weights': {
    about: 'matrix weights in 4 bits, block by block; activations stay float: for transformers bound by memory.',
    needsData: false,
    recipe: defineRecipe({ espalier: 1, steps: [simplify, { quantize: 'weights' }] }),
  },
  fp16: {
    about: 'weights in 16-bit floats: half the size, hardly any error.',
    needsData: false,
    recipe: defineRecipe({ espalier: 1, steps: [simplify, { quantize: 'fp16' }] }),
  },
  'prune-50': {
    about: 'half of the channels of every group physically removed, layers that lost inputs refitted if data is given.',
    needsData: false,
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
    needsData: true,
    recipe: defineRecipe({
      espalier: 1,
      steps: [simplify, { prune: { use: 'magnitude', with: { sparsity: 0.5 } } }, convolve, { quantize: 'static' }],
    }),
  },
} as const satisfies Readonly<Record<string, Preset>>;

/** The name of a preset. */
export type PresetName = keyof typeof presets;

/** A preset by name. @throws PRESET_UNKNOWN with what exists and the nearest spelling. */
export function findPreset(name: string): Preset {
  if (Object.hasOwn(presets, name)) return presets[name as PresetName]; // checked just above
  const names = Object.keys(presets);
  throw problem('PRESET_UNKNOWN', {
    where: `preset "${name}"`,
    expected: `one of ${names.join(', ')}`,
    found: `"${name}"`,
    fix: `${didYouMean(name, names)}Or write a recipe.`,
  });
}
