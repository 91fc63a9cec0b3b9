import type { Evidence, Rounding } from '@espalier/core';
import { evidenceMissing } from '../errors.js';
import { layerMatrix } from './layer-matrix.js';
import { layerProblems, roundLayer } from './round-layer.js';
import type { RoundNode } from './round-node.js';
import { inputMeasure, type LayerNeeds } from './rounding-needs.js';

/** The inputs that roundings look at. */
export interface KnownInputs {
  /** By node. */
  readonly needs: ReadonlyMap<string, LayerNeeds>;
  readonly evidence: Evidence;
  /** Numbers by which inputs were divided since the evidence was collected, by node. */
  readonly divided?: ReadonlyMap<string, Float64Array>;
}

/**
 * Rounds each node by the inputs that the float network gives it. Nodes that nothing is known of go to the nearest, or
 * by a rounding that needs no data. @throws EVIDENCE_MISSING.
 */
export function roundByEvidence(rounding: Rounding, known: KnownInputs): RoundNode {
  return (graph, node, choice) => {
    const need = known.needs.get(node.id);
    const matrix = need || rounding.needs?.length === 0 ? layerMatrix(graph, node) : undefined;
    if (!matrix) return undefined;
    const inputs = (group: number) => inputsOf(known, { matrix, group, need: need ?? {} });
    const problems = layerProblems(matrix, choice, { weight: matrix.weight(), inputs });
    return roundLayer(rounding, problems, (group) => inputs(group).energy);
  };
}

interface InputsQuestion {
  readonly matrix: NonNullable<ReturnType<typeof layerMatrix>>;
  readonly group: number;
  readonly need: LayerNeeds;
}

/** The statistics of the inputs of one group of a layer. @throws EVIDENCE_MISSING. */
export function inputsOf({ evidence, divided }: KnownInputs, { matrix, group, need }: InputsQuestion) {
  const { node, size } = matrix;
  const factors = divided?.get(node.id);
  const measured = (of: LayerNeeds['energy'], power: number) => {
    const found = of && inputMeasure(evidence, of, { matrix, group });
    if (of && !found) throw evidenceMissing(node.id, 'mean of its inputs');
    return found && factors ? found.map((each, i) => each / factors[i]! ** power) : found;
  };
  const sum = need.gram && evidence.find(need.gram[group]!)?.sum;
  if (need.gram && !sum) throw evidenceMissing(node.id, 'gram matrix');
  const gram =
    sum && factors ? sum.map((each, at) => each / (factors[Math.floor(at / size)]! * factors[at % size]!)) : sum;
  return { gram, magnitude: measured(need.magnitude, 1), energy: measured(need.energy, 2) };
}
