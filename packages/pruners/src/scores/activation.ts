import { definePlugin, type Need, type UnitPlace } from '@espalier/core';
import { foundEvidence } from './found-evidence.js';

/**
 * The activity of a unit on the calibration data, where layers read it (before pooling and reshaping), as the mean over
 * these places:
 *
 *     mean   the mean of |a|
 *     l2     the root of the mean of a²
 *     zeros  1 less the average percentage of zeros (APoZ; Hu et al. 2016, arXiv 1607.03250, equation 1)
 *
 * A unit that is always 0 scores 0. Zeros need an activation such as ReLU: without one, all units score 1. Activations
 * [0, 0, 3, -4] score 1.75 (mean), 2.5 (l2) and 0.5 (zeros).
 */
export const activation = definePlugin({
  kind: 'pruner',
  id: 'activation',
  about: 'Prunes the units that are least active on the calibration data.',
  options: {
    measure: {
      type: 'choice',
      of: ['mean', 'l2', 'zeros'],
      default: 'mean',
      about: 'the mean of |a|, the root of the mean of a², or the share of elements that are not zero (APoZ)',
    },
  },
  create({ measure }) {
    const asked = ({ mean: 'mean', l2: 'square', zeros: 'zeros' } as const)[measure];
    const need = ({ value, axis }: UnitPlace) =>
      ({ statistic: 'activity', value, axis, measure: asked }) as const satisfies Need;
    return {
      units: {
        weightless: true,
        needs: (_, targets) => targets.flatMap(({ activations }) => activations.map(need)),
        score({ units, activations }, evidence) {
          if (activations.length === 0) return undefined;
          const means = new Float64Array(units);
          const places = activations.reduce((sum, { each }) => sum + each, 0);
          for (const place of activations) {
            const found = foundEvidence(evidence, need(place));
            place.indices.forEach((index, i) => {
              means[Math.floor(i / place.each)]! += found[index]! / places;
            });
          }
          if (measure === 'l2') return means.map(Math.sqrt);
          return measure === 'zeros' ? means.map((share) => Math.max(0, 1 - share)) : means;
        },
      },
    };
  },
});
