import {
  floats,
  type Graph,
  indexOf,
  int,
  ints,
  intsOf,
  type NeedOf,
  type Node,
  type StatisticsGraph,
  tensorInfo,
  type ValueId,
} from '@espalier/core';
import { isRefusal, type LayerWeight, operandsOf } from '@espalier/ops';
import { impossibleNeed } from './errors.js';
import { overSlices } from './over-slices.js';

/** The data input of a layer, the group asked for, and the nodes that add up its rows. */
export interface Layer {
  readonly data: ValueId;
  readonly group: number;
  build(statistics: StatisticsGraph, target?: ValueId): Sums;
}

/** Sums over the rows X that a layer multiplies by its weight; those beside a target Y with as many rows. */
export interface Sums {
  /** XᵀX, [groups, K, K]. */
  readonly products: ValueId;
  /** The number of rows. */
  readonly rows: ValueId;
  readonly target?: {
    /** YᵀX, [groups, outputs / groups, K]. */
    readonly cross: ValueId;
    /** Xᵀ1, [groups, K]. */
    readonly inputs: ValueId;
    /** Yᵀ1, [groups, outputs / groups]. */
    readonly outputs: ValueId;
    /** Sums of squares of the same form. */
    readonly squares: ValueId;
  };
}

/** A need that names a layer. */
type LayerNeed = NeedOf<'gram'> | NeedOf<'regression'>;

/** The node of a need, the weight that its rows are multiplied with, and where they lie. */
interface Rows {
  readonly need: LayerNeed;
  readonly node: Node;
  readonly weight: LayerWeight;
  readonly data: ValueId;
  /** The axis of the data that is summed over; negative: from the end. */
  readonly axis: number;
}

/** The rows of a layer: of a plain product, or of the op Conv. @throws CALIBRATION_NEED. */
export function rowsOfLayer(need: LayerNeed, graph: Graph): Layer {
  const node = indexOf(graph).node.get(need.node);
  const layer = node ? operandsOf(graph, node) : { reason: 'no such node' };
  if (!node || isRefusal(layer)) throw noRows(need, node, isRefusal(layer) ? layer.reason : '');
  const rows = node.op === 'Conv' ? convLayer : layer.kind === 'product' && !layer.fused ? productLayer : undefined;
  // Of two operands the constant one is the weight, the right one if both are or neither is.
  const weight = layer.weights.findLast(({ value }) => graph.constants.has(value)) ?? layer.weights.at(-1);
  const data = weight && node.inputs[weight.data?.slot ?? -1];
  if (!rows || !weight?.data || data === undefined || isCoded(weight))
    throw noRows(need, node, 'another kind of layer');
  return rows({ need, node, weight, data, axis: weight.data.axis }, graph);
}

const isCoded = ({ scale, zeroPoint }: LayerWeight): boolean => scale !== undefined || zeroPoint !== undefined;

const noRows = (need: LayerNeed, node: Node | undefined, reason: string) =>
  impossibleNeed(need, {
    expected: 'the id of a node that multiplies rows by a weight: a Conv, Gemm or MatMul',
    found: node ? `a node of op ${node.op} (${reason})` : reason,
  });

function onlyGroup(need: LayerNeed, groups: number): number {
  const { group = groups === 1 ? 0 : undefined } = need;
  if (group !== undefined && Number.isInteger(group) && group >= 0 && group < groups) return group;
  throw impossibleNeed(need, {
    expected: groups === 1 ? 'no group, or group 0' : `a group from 0 to ${groups - 1}`,
    found: String(group),
  });
}

/** Rows of a product: what is read along the axis that is summed over, at every place of the others. */
function productLayer({ need, data, axis, weight: { result = -1 } }: Rows, graph: Graph): Layer {
  const rank = tensorInfo(graph, data)?.shape?.length;
  if (axis !== -1 && (rank === undefined || rank < 2)) {
    throw impossibleNeed(need, {
      expected: `at least two known axes of "${data}"`,
      found: rank === undefined ? 'an unknown rank' : '1',
    });
  }
  const transposed = axis === -2 && rank === 2;
  return {
    data,
    group: onlyGroup(need, 1),
    build: (statistics, target) =>
      matrixProducts(statistics, {
        matrix: transposed ? statistics.asFloat(data) : rowsAlong(statistics, data, axis),
        transposed,
        target: target && rowsAlong(statistics, target, result),
      }),
  };
}

/** The value as a matrix whose columns are an axis: the last one, or the one before it. */
function rowsAlong({ asFloat, builder, model }: StatisticsGraph, value: ValueId, axis: number): ValueId {
  const rank = tensorInfo(model, value)?.shape?.length ?? 2;
  const order = Array.from({ length: rank }, (_, at) => (at < rank - 2 ? at : 2 * rank - 3 - at));
  const turned =
    axis === -1 ? asFloat(value) : builder.add('Transpose', [asFloat(value)], { attributes: { perm: ints(order) } });
  return builder.add('Flatten', [turned], { attributes: { axis: int(-1) } });
}

interface Matrices {
  /** [rows, K], or [K, rows] where it is transposed. */
  readonly matrix: ValueId;
  readonly transposed?: boolean;
  /** [rows, outputs]. */
  readonly target: ValueId | undefined;
}

function matrixProducts(statistics: StatisticsGraph, { matrix, transposed = false, target }: Matrices): Sums {
  const { builder, longs, reduce } = statistics;
  const grouped = (value: ValueId) => builder.add('Unsqueeze', [value, longs([0])]);
  const attributes = transposed ? { transB: int(1) } : { transA: int(1) };
  const products = grouped(builder.add('Gemm', [matrix, matrix], { attributes }));
  const rows = builder.add('Gather', [builder.add('Shape', [matrix]), longs([transposed ? 1 : 0])]);
  if (target === undefined) return { products, rows };
  const both = { transA: int(1), transB: int(transposed ? 1 : 0) };
  return {
    products,
    rows,
    target: {
      cross: grouped(builder.add('Gemm', [target, matrix], { attributes: both })),
      inputs: grouped(reduce('ReduceSum', matrix, { axes: [transposed ? 1 : 0] })),
      outputs: grouped(reduce('ReduceSum', target, { axes: [0] })),
      squares: grouped(reduce('ReduceSumSquare', target, { axes: [0] })),
    },
  };
}

function convLayer({ need, node, weight, data }: Rows, graph: Graph): Layer {
  const shape = tensorInfo(graph, weight.value)?.shape;
  const kernel = intsOf(node, 'kernel_shape', undefined) ?? weight.inner.map((axis) => shape?.[axis]);
  const perGroup = shape?.[weight.sums[0] ?? 0];
  if (!kernel.every((size): size is number => typeof size === 'number') || typeof perGroup !== 'number') {
    throw impossibleNeed(need, { expected: `a weight "${weight.value}" of known shape`, found: 'an unknown shape' });
  }
  const { groups } = weight;
  return {
    data,
    group: onlyGroup(need, groups),
    build: (statistics, target) => convProducts(statistics, { node, data, kernel, perGroup, groups, target }),
  };
}

interface ConvFacts {
  readonly node: Node;
  readonly data: ValueId;
  readonly kernel: readonly number[];
  /** Input channels of one group. */
  readonly perGroup: number;
  readonly groups: number;
  /** The output of the same size as the layer's. */
  readonly target: ValueId | undefined;
}

/**
 * One sample at a time: its channels become a batch of one-channel images, a convolution with the identity matrix as
 * kernels lists what lies under each kernel position (with the layer's own strides, dilations and pads), and the
 * product of that list with its transpose is added up.
 */
function convProducts(statistics: StatisticsGraph, { node, data, kernel, perGroup, groups, target }: ConvFacts): Sums {
  const { builder, longs, reduce } = statistics;
  const positions = kernel.reduce((product, size) => product * size, 1);
  const columns = perGroup * positions;
  const zeros = (...shape: number[]) => builder.add('ConstantOfShape', [longs([groups, ...shape])]);
  const identity = builder.constant('positions', floats(identityMatrix(positions), [positions, 1, ...kernel]));
  const channelsFirst = [1, 0, ...kernel.map((_, i) => i + 2)];
  const listed = longs([groups, columns, -1]);
  const outputs = target === undefined ? 0 : channelsOf(statistics.model, target) / groups;
  const places = longs([groups, outputs, -1]);
  const [products, rows, cross, inputs, made, squares] = overSlices(statistics, {
    value: statistics.asFloat(data),
    beside: target === undefined ? [] : [statistics.asFloat(target)],
    rows: longs([1]),
    carried: [
      { from: zeros(columns, columns), dtype: 'float32' },
      { from: longs([0]), dtype: 'int64' },
      ...(target === undefined ? [] : [zeros(outputs, columns), zeros(columns), zeros(outputs), zeros(outputs)]).map(
        (from) => ({ from, dtype: 'float32' }) as const,
      ),
    ],
    stacked: 0,
    body(sample, [sum, count, ...sums], into, [beside]) {
      const channels = into.add('Transpose', [sample], { attributes: { perm: ints(channelsFirst) } });
      const patches = into.add('Conv', [channels, identity], { attributes: geometryOf(node, kernel) });
      const matrix = into.add('Reshape', [patches, listed]);
      const turned = into.add('Transpose', [matrix], { attributes: { perm: ints([0, 2, 1]) } });
      const width = into.add('Gather', [into.add('Shape', [matrix]), longs([2])]);
      const own = [into.add('Add', [sum!, into.add('MatMul', [matrix, turned])]), into.add('Add', [count!, width])];
      if (beside === undefined) return own;
      const y = into.add('Reshape', [beside, places]);
      const more = [
        into.add('MatMul', [y, turned]),
        reduce('ReduceSum', matrix, { axes: [2], into }),
        reduce('ReduceSum', y, { axes: [2], into }),
        reduce('ReduceSumSquare', y, { axes: [2], into }),
      ];
      return [...own, ...more.map((each, i) => into.add('Add', [sums[i]!, each]))];
    },
  });
  const sums = { products: products!, rows: rows! };
  return target === undefined
    ? sums
    : { ...sums, target: { cross: cross!, inputs: inputs!, outputs: made!, squares: squares! } };
}

function channelsOf(graph: Graph, value: ValueId): number {
  const channels = tensorInfo(graph, value)?.shape?.[1];
  return typeof channels === 'number' ? channels : 0;
}

// Everything that says where the kernel stands, as the layer has it.
function geometryOf(node: Node, kernel: readonly number[]) {
  const attributes = ['strides', 'dilations', 'pads', 'auto_pad'].flatMap((name) => {
    const attribute = node.attributes.get(name);
    return attribute ? [[name, attribute] as const] : [];
  });
  return { ...Object.fromEntries(attributes), kernel_shape: ints(kernel) };
}

function identityMatrix(size: number): Float32Array {
  const out = new Float32Array(size * size);
  for (let i = 0; i < size; i++) out[i * (size + 1)] = 1;
  return out;
}
