import {
  floats,
  type Gram,
  type Graph,
  indexOf,
  int,
  intOf,
  ints,
  intsOf,
  longs,
  type Node,
  tensorInfo,
  toFloats,
  toNumbers,
  type ValueId,
} from '@espalier/core';
import type { Collector, NeedOf } from './collector.js';
import { impossibleNeed, notFinite } from './errors.js';
import { overSlices } from './over-slices.js';
import type { StatisticsGraph } from './statistics-graph.js';

/**
 * XᵀX of the rows that a layer multiplies by its weight, as GPTQ and its relatives need it (Frantar et al. 2022,
 * arXiv 2210.17323). For a convolution, a row holds the inputs under one position of the kernel, in the order of the
 * flattened weight [channels in / groups, kernel...]. Products are float32 within a batch, float64 across batches.
 */
export const collectGram: Collector<'gram'> = {
  values: (need, graph) => [layerOf(need, graph).data],
  opset: 13,
  probe(need, statistics) {
    const layer = layerOf(need, statistics.model);
    const { products, rows } = statistics.once(`gram ${need.node}`, () => layer.build(statistics));
    const size = { rows: 0, columns: 0 };
    let sum: Float64Array | undefined;
    return {
      fetch: [products, rows],
      add([found, count]) {
        const all = toFloats(found!); // [groups, columns, columns]
        size.columns = found!.shape.at(-1)!;
        const length = size.columns ** 2;
        const part = all.subarray(layer.group * length, (layer.group + 1) * length);
        sum ??= new Float64Array(length);
        let check = 0;
        for (let i = 0; i < length; i++) check += sum[i]! += part[i]!;
        if (!Number.isFinite(check))
          throw notFinite(statistics.model, layer.data, 'NaN, infinity or squares beyond float32');
        size.rows += toNumbers(count!)[0]!;
      },
      answer: (): Gram => ({ sum: sum ?? new Float64Array(), size: size.columns, rows: size.rows }),
    };
  },
};

/** The data input of a layer, the group asked for, and the nodes that yield [groups, K, K] products and the rows. */
interface Layer {
  readonly data: ValueId;
  readonly group: number;
  build(statistics: StatisticsGraph): { readonly products: ValueId; readonly rows: ValueId };
}

const layers: Readonly<Record<string, (need: NeedOf<'gram'>, node: Node, graph: Graph) => Layer>> = {
  Conv: convLayer,
  Gemm: gemmLayer,
  MatMul: matMulLayer,
};

function layerOf(need: NeedOf<'gram'>, graph: Graph): Layer {
  const node = indexOf(graph).node.get(need.node);
  const make = node && layers[node.op];
  if (!make) {
    throw impossibleNeed(need, {
      expected: `the id of a ${Object.keys(layers).join(', ')} node`,
      found: node ? `a node of op ${node.op}` : 'no such node',
    });
  }
  return make(need, node, graph);
}

function onlyGroup(need: NeedOf<'gram'>, groups: number): number {
  const { group = groups === 1 ? 0 : undefined } = need;
  if (group !== undefined && Number.isInteger(group) && group >= 0 && group < groups) return group;
  throw impossibleNeed(need, {
    expected: groups === 1 ? 'no group, or group 0' : `a group from 0 to ${groups - 1}`,
    found: String(group),
  });
}

/** Rows as they lie in memory: y = alpha A' B' + beta C, with A' = A or Aᵀ. */
function gemmLayer(need: NeedOf<'gram'>, node: Node): Layer {
  const data = node.inputs[0]!;
  const transposed = intOf(node, 'transA', 0) !== 0;
  return {
    data,
    group: onlyGroup(need, 1),
    build: (statistics) => matrixProducts(statistics, statistics.asFloat(data), transposed),
  };
}

function matMulLayer(need: NeedOf<'gram'>, node: Node, graph: Graph): Layer {
  const [left, right] = node.inputs as readonly [ValueId, ValueId]; // MatMul has exactly two
  const group = onlyGroup(need, 1);
  if (!graph.constants.has(left) || graph.constants.has(right)) {
    return {
      data: left,
      group,
      build(statistics) {
        const rows = statistics.builder.add('Flatten', [statistics.asFloat(left)], { attributes: { axis: int(-1) } });
        return matrixProducts(statistics, rows, false);
      },
    };
  }
  // The weight stands on the left: rows of the data are columns of the right operand.
  const rank = tensorInfo(graph, right)?.shape?.length;
  if (rank === undefined || rank < 2) {
    throw impossibleNeed(need, {
      expected: `at least two known axes of "${right}"`,
      found: rank === undefined ? 'an unknown rank' : '1',
    });
  }
  const order = Array.from({ length: rank }, (_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis));
  return {
    data: right,
    group,
    build(statistics) {
      const { builder } = statistics;
      const turned = builder.add('Transpose', [statistics.asFloat(right)], { attributes: { perm: ints(order) } });
      return matrixProducts(statistics, builder.add('Flatten', [turned], { attributes: { axis: int(-1) } }), false);
    },
  };
}

function matrixProducts({ builder, once }: StatisticsGraph, matrix: ValueId, transposed: boolean) {
  const number = (x: number) => once(`long ${x}`, () => builder.constant('long', longs([x])));
  const attributes = transposed ? { transB: int(1) } : { transA: int(1) };
  const product = builder.add('Gemm', [matrix, matrix], { attributes });
  const rows = builder.add('Gather', [builder.add('Shape', [matrix]), number(transposed ? 1 : 0)]);
  return { products: builder.add('Unsqueeze', [product, number(0)]), rows };
}

function convLayer(need: NeedOf<'gram'>, node: Node, graph: Graph): Layer {
  const [data, weight] = node.inputs as readonly [ValueId, ValueId]; // Conv has both
  const shape = tensorInfo(graph, weight)?.shape;
  const kernel = intsOf(node, 'kernel_shape', undefined) ?? shape?.slice(2);
  const perGroup = shape?.[1];
  if (!kernel?.every((size): size is number => typeof size === 'number') || typeof perGroup !== 'number') {
    throw impossibleNeed(need, { expected: `a weight "${weight}" of known shape`, found: 'an unknown shape' });
  }
  const groups = intOf(node, 'group', 1);
  return {
    data,
    group: onlyGroup(need, groups),
    build: (statistics) => convProducts(statistics, { node, data, kernel, perGroup, groups }),
  };
}

interface ConvFacts {
  readonly node: Node;
  readonly data: ValueId;
  readonly kernel: readonly number[];
  /** Input channels of one group. */
  readonly perGroup: number;
  readonly groups: number;
}

/**
 * One sample at a time: its channels become a batch of one-channel images, a convolution with the identity matrix as
 * kernels lists what lies under each kernel position (with the layer's own strides, dilations and pads), and the
 * product of that list with its transpose is added up.
 */
function convProducts(statistics: StatisticsGraph, { node, data, kernel, perGroup, groups }: ConvFacts) {
  const { builder, once } = statistics;
  const positions = kernel.reduce((product, size) => product * size, 1);
  const columns = perGroup * positions;
  const number = (x: number) => once(`long ${x}`, () => builder.constant('long', longs([x])));
  const size = builder.constant('gram_size', longs([groups, columns, columns]));
  const identity = builder.constant('positions', floats(identityMatrix(positions), [positions, 1, ...kernel]));
  const channelsFirst = [1, 0, ...kernel.map((_, i) => i + 2)];
  const listed = builder.constant('gram_columns', longs([groups, columns, -1]));
  const [products, rows] = overSlices(statistics, {
    value: statistics.asFloat(data),
    rows: number(1),
    carried: [
      { from: builder.add('ConstantOfShape', [size]), dtype: 'float32' },
      { from: number(0), dtype: 'int64' },
    ],
    stacked: 0,
    body(sample, [sum, count], into) {
      const channels = into.add('Transpose', [sample], { attributes: { perm: ints(channelsFirst) } });
      const patches = into.add('Conv', [channels, identity], { attributes: geometryOf(node, kernel) });
      const matrix = into.add('Reshape', [patches, listed]);
      const turned = into.add('Transpose', [matrix], { attributes: { perm: ints([0, 2, 1]) } });
      const width = into.add('Gather', [into.add('Shape', [matrix]), number(2)]);
      return [into.add('Add', [sum!, into.add('MatMul', [matrix, turned])]), into.add('Add', [count!, width])];
    },
  });
  return { products: products!, rows: rows! };
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
