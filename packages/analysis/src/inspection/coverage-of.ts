import { bitsOf, type Graph, isFloat, type Node, type Note, tensorInfo, type ValueId } from '@espalier/core';

/** Which kernels of a graph compute with integers. */
export interface Coverage {
  /** Number of nodes that compute on quantized numbers. */
  readonly quantizedOps: number;
  /** Number of nodes that compute on real numbers. */
  readonly floatOps: number;
  /** Number of nodes that only go between the two (QuantizeLinear, DequantizeLinear, Cast between floats and integers). */
  readonly conversions: number;
  /** Number of nodes on shapes and indices, which neither precision concerns. */
  readonly otherOps: number;
  /** Nodes by op in each group, most frequent first. */
  readonly ops: Readonly<Record<'quantized' | 'float' | 'conversion' | 'other', Readonly<Record<string, number>>>>;
  /** The nodes that stayed float, with the quantizer's reason. */
  readonly stayedFloat: readonly { readonly node: string; readonly op: string; readonly reason: string }[];
}

type Class = keyof Coverage['ops'];
/** The kind of numbers in a value. */
type Numbers = 'quantized' | 'float' | 'other';

const conversions: ReadonlySet<string> = new Set([
  'QuantizeLinear',
  'DequantizeLinear',
  'DynamicQuantizeLinear',
  'Cast',
  'com.microsoft::QuantizeLinear',
  'com.microsoft::DequantizeLinear',
]);

/** Integer kernels that return real numbers. */
const integerToFloat =
  /MatMulIntegerToFloat|DynamicQuantizeMatMul|DynamicQuantizeLSTM|MatMulNBits|MatMulBnb4|QAttention|QMoE|GatherBlockQuantized|QEmbedLayerNorm|QOrdered/;

const integerKernel =
  /(^|::)(QLinear|QGemm|QAttention|QMoE|QEmbedLayer|QOrdered|DynamicQuantize(MatMul|LSTM))|Integer|NBits|Bnb4|BlockQuantized/;

/**
 * Groups the nodes of a graph, best of one that a runtime has rewritten for itself (`Executor.optimized`): quantized
 * kernels (QLinearConv, MatMulNBits, a MaxPool on int8), float kernels, conversions left between them, and work on
 * shapes. `notes` of the quantizer add why nodes stayed float.
 */
export function coverageOf(graph: Graph, notes: readonly Note[] = []): Coverage {
  const numbers = new Map<ValueId, Numbers>();
  const counts: Record<Class, Map<string, number>> = {
    quantized: new Map(),
    float: new Map(),
    conversion: new Map(),
    other: new Map(),
  };
  const kindOf = (value: ValueId): Numbers => {
    const dtype = tensorInfo(graph, value)?.dtype;
    if (dtype === undefined) return numbers.get(value) ?? 'float';
    if (isFloat(dtype)) return 'float';
    return dtype !== 'bool' && bitsOf(dtype) > 0 && bitsOf(dtype) <= 16 ? 'quantized' : 'other';
  };
  for (const node of graph.nodes) {
    const { group, makes } = classify(node, kindOf);
    counts[group].set(node.op, (counts[group].get(node.op) ?? 0) + 1);
    for (const output of node.outputs) if (output !== undefined) numbers.set(output, makes);
  }
  return {
    quantizedOps: total(counts.quantized),
    floatOps: total(counts.float),
    conversions: total(counts.conversion),
    otherOps: total(counts.other),
    ops: {
      quantized: sorted(counts.quantized),
      float: sorted(counts.float),
      conversion: sorted(counts.conversion),
      other: sorted(counts.other),
    },
    stayedFloat: notes
      .filter(({ outcome }) => outcome === 'float')
      .map(({ node = '', op = '', reason }) => ({ node, op, reason })),
  };
}

function classify(node: Node, kindOf: (value: ValueId) => Numbers): { readonly group: Class; readonly makes: Numbers } {
  const first = node.inputs.find((value) => value !== undefined);
  const carried = first === undefined ? undefined : kindOf(first);
  const made = node.outputs[0] === undefined ? undefined : kindOf(node.outputs[0]);
  if (conversions.has(node.op)) return conversion(node, { carried, made });
  if (integerKernel.test(node.op)) {
    return { group: 'quantized', makes: integerToFloat.test(node.op) ? 'float' : 'quantized' };
  }
  if (node.op === 'Shape' || node.op === 'Size' || node.op === 'NonZero') return { group: 'other', makes: 'other' };
  if (carried === undefined) return { group: 'other', makes: made ?? 'other' };
  return { group: carried, makes: carried };
}

function conversion(
  node: Node,
  { carried, made }: { readonly carried: Numbers | undefined; readonly made: Numbers | undefined },
) {
  if (node.op === 'Cast') {
    const group: Class = carried === 'other' && made !== 'float' ? 'other' : 'conversion';
    return { group, makes: made ?? carried ?? 'other' };
  }
  return {
    group: 'conversion' as const,
    makes: node.op.endsWith('DequantizeLinear') ? ('float' as const) : ('quantized' as const),
  };
}

const total = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((sum, each) => sum + each, 0);

const sorted = (counts: ReadonlyMap<string, number>): Readonly<Record<string, number>> =>
  Object.fromEntries([...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)));
