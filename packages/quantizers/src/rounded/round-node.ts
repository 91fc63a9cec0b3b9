import type { Graph, GridFreedom, Node, Rounded, RoundingGrid } from '@espalier/core';

/** The grids that a quantizer would take for the weight of a layer. */
export interface GridChoice {
  /** Neighbouring weights of a row that share a grid; `size` for one grid per row. */
  readonly group: number;
  /** [rows, ceil(size / group)], rows as in `LayerMatrix`. */
  readonly grids: readonly RoundingGrid[];
  /** Absent where rows share a grid, which then stays. */
  readonly free?: GridFreedom;
}

/** Rounds the weight of a node; undefined where each weight goes to the nearest point. */
export interface RoundNode {
  (graph: Graph, node: Node, choice: GridChoice): Rounded | undefined;
  /** The same for nodes of bodies of If, Loop and Scan, where nothing is calibrated. Default: the nearest point. */
  readonly bodies?: RoundNode;
}

/** Every weight to its nearest point. */
export const roundNothing: RoundNode = () => undefined;
