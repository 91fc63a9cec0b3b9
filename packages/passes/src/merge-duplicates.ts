import {
  type Attribute,
  byteLength,
  type DType,
  definePlugin,
  editGraph,
  type Graph,
  isFloat,
  type Node,
  redirectNode,
  sizeOf,
  subgraphsOf,
  type Tensor,
  usesOf,
  type ValueId,
} from '@espalier/core';
import { opNames } from '@espalier/ops';

const known: ReadonlySet<string> = new Set(opNames);
const random = new Set([
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
  'Multinomial',
  'Bernoulli',
  'Dropout',
]);

/** Shapes, axes and indices are small; comparing more bytes than this is not worth it. */
const mostBytes = 1024;

/** Layers in which even a single number is a weight: the bias of one unit, a slope, a learned scale. */
const layers = new Set([
  'BatchNormalization',
  'Conv',
  'ConvTranspose',
  'Gather',
  'Gemm',
  'GroupNormalization',
  'InstanceNormalization',
  'LayerNormalization',
  'MatMul',
  'PRelu',
  'espalier::BatchNormTraining',
  'espalier::FakeQuantize',
  'espalier::ParameterizedQuantize',
]);

/** Ops that read whole numbers as codes of weights: several of those are weights like others. */
const decoders = new Set([
  'DequantizeLinear',
  'QLinearConv',
  'com.microsoft::DequantizeLinear',
  'com.microsoft::QGemm',
  'com.microsoft::QLinearConv',
]);
const codes = new Set<DType>(['int2', 'int4', 'int8', 'int16', 'uint2', 'uint4', 'uint8', 'uint16']);

/**
 * Makes one of what is there several times: nodes with the same op, inputs and attributes, and small constants that
 * are no weights (sizes, positions, booleans, single numbers that no layer reads). Weights stay apart even when equal,
 * those in code and their zero points too, because pruning and training change them one by one. Random ops, unknown ops, ops with subgraphs and nodes that make a graph output are
 * left alone.
 */
export function mergeDuplicates(graph: Graph): Graph {
  const draft = editGraph(graph);
  const outputs = new Set(graph.outputs);
  const same = new Map<ValueId, ValueId>();
  const first = new Map<string, ValueId>();
  for (const [value, tensor] of graph.constants) {
    const key = outputs.has(value) || isLayerWeight(graph, value, tensor) ? undefined : constantKey(tensor);
    const twin = key === undefined ? undefined : first.get(key);
    if (twin !== undefined) {
      same.set(value, twin);
      draft.removeConstant(value);
    } else if (key !== undefined) first.set(key, value);
  }
  const made = new Map<string, Node>();
  for (const given of graph.nodes) {
    const node = redirectNode(given, same);
    const key = nodeKey(node);
    const twin = key === undefined ? undefined : made.get(key);
    const free = !node.outputs.some((value) => value !== undefined && outputs.has(value));
    if (twin && free) {
      node.outputs.forEach((value, slot) => {
        if (value !== undefined) same.set(value, twin.outputs[slot]!); // the key holds which outputs there are
      });
      draft.replace(given.id);
    } else if (key !== undefined && !twin) made.set(key, node);
  }
  for (const [from, to] of same) draft.redirect(from, to);
  return draft.finish();
}

function isLayerWeight(graph: Graph, value: ValueId, { dtype, shape }: Tensor): boolean {
  if (isFloat(dtype)) return usesOf(graph, value).some(({ node }) => layers.has(node.op));
  return sizeOf(shape) > 1 && (codes.has(dtype) || usesOf(graph, value).some(({ node }) => decoders.has(node.op)));
}

function constantKey(tensor: Tensor): string | undefined {
  const { dtype, shape, data } = tensor;
  if (dtype === 'string' || (isFloat(dtype) && sizeOf(shape) > 1) || byteLength(tensor) > mostBytes) return undefined;
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return `${dtype}|${shape.join()}|${bytes.join()}`;
}

function nodeKey(node: Node): string | undefined {
  if (!known.has(node.op) || random.has(node.op) || subgraphsOf(node).length > 0) return undefined;
  const attributes = [...node.attributes]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, attribute]) => [name, attribute.kind, attributeKey(attribute)]);
  if (attributes.some(([, , key]) => key === undefined)) return undefined;
  const present = node.outputs.map((value) => value !== undefined);
  return JSON.stringify([node.op, node.inputs.map((value) => value ?? null), present, attributes]);
}

/** The value as text; undefined for what is too large or too rare to compare. */
function attributeKey({ kind, value }: Attribute): string | undefined {
  switch (kind) {
    case 'int':
    case 'float':
    case 'text':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'ints':
    case 'floats':
      return value.map((each) => (Object.is(each, -0) ? '-0' : each)).join();
    case 'texts':
      return JSON.stringify(value);
    case 'tensor':
      return constantKey(value);
    default:
      return undefined;
  }
}

/** Merges duplicates. */
export const mergeDuplicatesPass = /* @__PURE__ */ definePlugin({
  kind: 'pass',
  id: 'merge-duplicates',
  about: 'Makes one of equal nodes and of equal small constants.',
  options: {},
  create: () => mergeDuplicates,
});
