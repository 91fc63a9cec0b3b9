import {
  type Evidence,
  type Graph,
  type InputStatistic,
  type Need,
  type Node,
  type Rounding,
  tensorInfo,
  usesOf,
} from '@espalier/core';
import { type LayerMatrix, layerMatrix } from './layer-matrix.js';

/** XᵀX of all layers takes at most so many bytes together; layers beyond it are rounded by the energy of each input. */
const mostBytes = 2 ** 31;

/** The statistics of the inputs of one layer: those of each group of a convolution. */
export interface LayerNeeds {
  /** XᵀX by group; absent where it would be too large, and where none is needed. */
  readonly gram?: readonly (Need & { readonly statistic: 'gram' })[];
  /** Mean of |x|, or of x² in place of XᵀX, along the axis of the inputs. */
  readonly magnitude?: ActivityNeed;
  readonly energy?: ActivityNeed;
}

type ActivityNeed = Need & { readonly statistic: 'activity' };

/** The statistics that a rounding needs of layers, in the order of the graph. */
export function roundingNeeds(
  graph: Graph,
  nodes: readonly Node[],
  rounding: Rounding,
): ReadonlyMap<string, LayerNeeds> {
  const wanted = rounding.needs ?? (['gram'] as const);
  const found = new Map<string, LayerNeeds>();
  const held = new Set<string>();
  let bytes = 0;
  for (const node of nodes) {
    const matrix = layerMatrix(graph, node);
    if (!matrix) continue;
    const asks = (statistic: InputStatistic) => wanted.includes(statistic);
    const owner = firstReader(graph, matrix);
    const own = 8 * matrix.groups * matrix.size ** 2;
    const fits = held.has(owner) || bytes + own <= mostBytes;
    if (asks('gram') && fits && !held.has(owner)) {
      held.add(owner);
      bytes += own;
    }
    found.set(node.id, {
      ...(asks('gram') && fits ? { gram: gramNeeds(owner, matrix) } : {}),
      ...(asks('gram') && !fits ? activity(graph, matrix, 'energy', 'square') : {}),
      ...(asks('magnitude') ? activity(graph, matrix, 'magnitude', 'mean') : {}),
    });
  }
  return found;
}

const gramNeeds = (node: string, { groups }: LayerMatrix) =>
  Array.from(
    { length: groups },
    (_, group) => ({ statistic: 'gram', node, ...(groups > 1 ? { group } : {}) }) as const,
  );

/** The first of the products that read the same inputs: their XᵀX is the same, and collected once. */
function firstReader(graph: Graph, { node, data }: LayerMatrix): string {
  if (node.op === 'Conv') return node.id;
  const value = node.inputs[data]!;
  const alike = usesOf(graph, value).find(({ node: other, slot }) => {
    if ((other.op !== 'MatMul' && other.op !== 'Gemm') || slot !== data) return false;
    return layerMatrix(graph, other)?.data === data;
  });
  return alike?.node.id ?? node.id;
}

function activity<Name extends 'magnitude' | 'energy'>(
  graph: Graph,
  { node, data }: LayerMatrix,
  name: Name,
  measure: 'mean' | 'square',
): { readonly [N in Name]?: ActivityNeed } {
  const value = node.inputs[data]!;
  const rank = tensorInfo(graph, value)?.shape?.length;
  const axis = node.op === 'Conv' ? 1 : rank === undefined ? undefined : data === 0 ? rank - 1 : rank - 2;
  return axis === undefined ? {} : ({ [name]: { statistic: 'activity', value, axis, measure } } as never); // the one name
}

/** All statistics of a layer as a list. */
export const listed = ({ gram = [], magnitude, energy }: LayerNeeds): readonly Need[] => [
  ...gram,
  ...(magnitude ? [magnitude] : []),
  ...(energy ? [energy] : []),
];

/** A measure of input channels, repeated for each input of a group of a layer. */
export function inputMeasure(
  evidence: Evidence,
  need: ActivityNeed,
  { matrix, group }: { readonly matrix: LayerMatrix; readonly group: number },
): Float64Array | undefined {
  const found = evidence.find(need);
  if (!found) return undefined;
  const channels = found.length / matrix.groups;
  const each = matrix.size / channels; // positions of the kernel
  return Float64Array.from({ length: matrix.size }, (_, i) => found[group * channels + Math.floor(i / each)]!);
}
