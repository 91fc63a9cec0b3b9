import type { Weights } from '@espalier/training';
import { eachRun, type UnitGroup } from './unit-parts.js';

/** The five criteria of a score. */
export const criteria = ['magnitude', 'averageMagnitude', 'cosine', 'firstOrder', 'secondOrder'] as const;

/** One of the criteria of a score. */
export type Criterion = (typeof criteria)[number];

/** The weight of each criterion. Default: 0.2 each. */
export type CriterionWeights = Readonly<Record<Criterion, number>>;

/**
 * Scores of units, by group: low for what is redundant. With v the weights of a unit and g the direction of the
 * optimizer there,
 *
 *     magnitude ‖v‖    average magnitude ‖v‖ / size    cosine 1 + ⟨v, g⟩ / (‖v‖ ‖g‖)
 *     first order |⟨v, g⟩|    second order ½ ⟨v, g⟩²
 *
 * each divided by its l2 norm over all units of the model and weighted (QASSO, GETA, arXiv 2502.16638; HESSO: Chen et
 * al. 2024, arXiv 2409.09085). `before` and `after` are weights around an update: their difference is g up to a factor,
 * which no criterion sees after the division.
 */
export function saliency(
  groups: readonly UnitGroup[],
  { before, after }: { readonly before: Weights; readonly after: Weights },
  weights: CriterionWeights,
): readonly Float64Array[] {
  const rows = groups.map((group) => measured(group, before, after));
  const norms = criteria.map((_, c) =>
    Math.sqrt(rows.reduce((sum, row) => sum + row[c]!.reduce((own, value) => own + value * value, 0), 0)),
  );
  return rows.map((row, g) => {
    const scores = new Float64Array(groups[g]!.units);
    criteria.forEach((name, c) => {
      const factor = norms[c]! > 0 ? weights[name] / norms[c]! : 0;
      for (let unit = 0; unit < scores.length; unit++) scores[unit]! += factor * row[c]![unit]!;
    });
    return scores;
  });
}

/** The criteria of every unit of a group, in their order. */
function measured({ units, parts, elements }: UnitGroup, before: Weights, after: Weights): readonly Float64Array[] {
  const [own, direction, product] = [new Float64Array(units), new Float64Array(units), new Float64Array(units)];
  for (const part of parts) {
    const [x, next] = [before.get(part.value)!.data, after.get(part.value)!.data] as [Float32Array, Float32Array]; // parts are of float32 weights
    for (let unit = 0; unit < units; unit++) {
      let [vv, gg, vg] = [0, 0, 0];
      eachRun(part, unit, (from, to) => {
        for (let i = from; i < to; i++) {
          const v = x[i]!;
          const g = v - next[i]!;
          vv += v * v;
          gg += g * g;
          vg += v * g;
        }
      });
      own[unit]! += vv;
      direction[unit]! += gg;
      product[unit]! += vg;
    }
  }
  const norm = own.map(Math.sqrt);
  return [
    norm,
    norm.map((each) => each / elements),
    own.map((vv, u) => 1 + (vv > 0 && direction[u]! > 0 ? product[u]! / Math.sqrt(vv * direction[u]!) : 0)),
    product.map(Math.abs),
    product.map((each) => (each * each) / 2),
  ];
}
