import type { Graph } from '@espalier/core';
import { noParameters, unknownMask, wrongDtype } from './errors.js';
import { type Parameter, parametersOf } from './parameters-of.js';
import type { TrainingOptions } from './training-options.js';

/** The parameters that a step moves. @throws AUTODIFF_PARAMETER when there is none or a mask names none, AUTODIFF_DTYPE. */
export function chosenParameters(graph: Graph, { trainable, masks = [] }: TrainingOptions): readonly Parameter[] {
  const all = parametersOf(graph);
  const chosen = trainable ? all.filter(({ value }) => trainable(value)) : all;
  if (chosen.length === 0) throw noParameters(graph, all.length);
  const wrong = chosen.find(({ tensor }) => tensor.dtype !== 'float32');
  if (wrong) throw wrongDtype(`parameter "${wrong.value}"`, wrong.tensor.dtype);
  const names = chosen.map(({ value }) => value);
  const strange = masks.find((name) => !names.includes(name));
  if (strange !== undefined) throw unknownMask(strange, names);
  return chosen;
}
