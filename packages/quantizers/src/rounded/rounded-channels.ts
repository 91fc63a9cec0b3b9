import type { Graph, Grid, Node, Tensor } from '@espalier/core';
import { codesTensor } from '../quantize-tensor.js';
import type { Scales } from '../scales.js';
import { gridChoice, scalesOfRounded } from './grid-choice.js';
import { layerMatrix } from './layer-matrix.js';
import type { RoundNode } from './round-node.js';

/** The weight of a layer on a grid for each output, or on one for all. */
export interface ChannelChoice {
  readonly grid: Grid;
  /** As the quantizer would take them: one for each output, or one. */
  readonly scales: Scales;
  readonly round: RoundNode;
  /** Whether scales may be negative: not where integers are multiplied. Default: false. */
  readonly negative?: boolean;
}

/** Integers in the shape of the weight, and their scales. */
export interface RoundedChannels {
  readonly integers: Tensor;
  readonly scales: Scales;
}

/** The rounded weight of a node; undefined where each weight goes to the nearest point of the given grids. */
export function roundedChannels(graph: Graph, node: Node, choice: ChannelChoice): RoundedChannels | undefined {
  const { grid, scales, round, negative = false } = choice;
  const matrix = layerMatrix(graph, node);
  if (!matrix) return undefined;
  const { rows, size } = matrix;
  const shared = scales.scale.length === 1;
  const places = { rows, groups: 1, group: size, at: (row: number) => (shared ? 0 : row) };
  const free = shared ? undefined : { shift: !grid.symmetric, negative };
  const rounded = round(graph, node, gridChoice(scales, places, { grid, free }));
  if (!rounded) return undefined;
  const chosen = scalesOfRounded(scales, rounded, { places, grid });
  const codes = rounded.codes.map((code, at) => code + chosen.zeroPoint[places.at(Math.floor(at / size))]!);
  return { integers: codesTensor(matrix.arranged(codes), matrix.shape, grid), scales: chosen };
}
