import { definePlugin, type Graph, intOf, intsOf, type Node, type Target, textOf } from '@espalier/core';

/** Plugin: what onnxruntime runs on a CPU. `onnxruntimeTarget()` is the table. */
export const onnxruntimeTarget = /* @__PURE__ */ definePlugin({
  kind: 'target',
  id: 'onnxruntime',
  about: 'Files for onnxruntime on CPUs, in Node and browsers.',
  options: {},
  create: () => table,
});

const undilated = (node: Node) =>
  intsOf(node, 'dilations', []).some((each) => each !== 1) ? 'no integer kernel has dilations' : undefined;
const plainResize = (node: Node) =>
  ['nearest', 'linear'].includes(textOf(node, 'mode', 'nearest'))
    ? undefined
    : 'only nearest and linear resizing have an integer kernel';
const oneOutput = (node: Node) =>
  node.outputs.filter((value) => value !== undefined).length > 1 ? 'it also writes indices' : undefined;
/**
 * Groups are multiplied one by one, and a product this narrow spends its time around the integers. Measured on
 * x86 with AVX-512 VNNI, one thread, int8 beside float: width 2 takes 2.3 to 6.5 times as long, 4 1.3 to 4.0, 8 0.6 to
 * 2.2 (below 1.3 in two dimensions), 16 0.3 to 1.6. Depthwise convolutions have a kernel of their own.
 */
const narrowest = 8;
const narrowGroups = (node: Node, graph: Graph) => {
  const group = intOf(node, 'group', 1);
  const [outputs, width] = graph.constants.get(node.inputs[1] ?? '')?.shape ?? [];
  if (group < 2 || outputs === undefined || width === undefined) return undefined;
  const narrow = Math.min(width, outputs / group);
  const depthwise = width === 1 && outputs === group;
  return depthwise || narrow >= narrowest ? undefined : `groups of ${narrow} channels are faster in float`;
};
/**
 * Each step quantizes the state again. Measured as above, integers beside float: 32 units take 1.3 to 2.2 times as long,
 * 64 0.9 to 1.4, 128 0.6 to 0.9, 512 0.1 to 0.3.
 */
const fewestUnits = 96;
const smallLstm = (node: Node, graph: Graph) => {
  const units = graph.constants.get(node.inputs[2] ?? '')?.shape[2];
  return units !== undefined && units < fewestUnits ? `a state of ${units} units is faster in float` : undefined;
};
const noTransposeA = (node: Node) => (intOf(node, 'transA', 0) !== 0 ? 'its first input is transposed' : undefined);

const blocks = [16, 32, 64, 128, 256];

/**
 * Sources: the QDQ selectors of onnxruntime's graph transformers (qdq_selectors.cc), its kernels for QLinear ops, and
 * the schemas of com.microsoft, version 1.30.
 */
const table: Target = {
  name: 'onnxruntime',
  opsets: new Map([
    ['', 26],
    ['com.microsoft', 1],
  ]),
  integer: {
    activations: [
      { type: 'uint8', fused: true, zeroPoint: 'any' },
      { type: 'int8', fused: true, zeroPoint: 'any' },
      { type: 'uint4', fused: false, zeroPoint: 'any' },
      { type: 'int4', fused: false, zeroPoint: 'any' },
      { type: 'uint16', fused: false, zeroPoint: 'any' },
      { type: 'int16', fused: false, zeroPoint: 'any' },
    ],
    weights: [
      { type: 'int8', fused: true, zeroPoint: 'any' },
      { type: 'uint8', fused: true, zeroPoint: 'any' },
      { type: 'int4', fused: false, zeroPoint: 'any' },
      { type: 'uint4', fused: false, zeroPoint: 'any' },
      { type: 'int2', fused: false, zeroPoint: 'any' },
      { type: 'uint2', fused: false, zeroPoint: 'any' },
    ],
    channelZeroPoints: 'equal',
    kernels: {
      Conv: { weightScales: 'channel', obstacle: narrowGroups },
      Gemm: { weightScales: 'channel', floatOutput: true, obstacle: noTransposeA },
      MatMul: { weightScales: 'matrix-channel', floatOutput: true },
      Add: { eager: true },
      Mul: {},
      Concat: {},
      Where: {},
      AveragePool: { eager: true, obstacle: undilated },
      GlobalAveragePool: { eager: true },
      LeakyRelu: {},
      Sigmoid: {},
      Softmax: {},
      MaxPool: { obstacle: oneOutput },
      ReduceMax: {},
      ReduceMin: {},
      Reshape: {},
      Flatten: {},
      Transpose: {},
      Squeeze: {},
      Unsqueeze: {},
      Expand: {},
      Tile: {},
      Slice: {},
      Split: {},
      Gather: {},
      GatherElements: {},
      Resize: { obstacle: plainResize },
      // These three move floats, but what stands around them then runs on integers, at no loss.
      Pad: {},
      DepthToSpace: {},
      SpaceToDepth: {},
    },
    tails: ['Relu', 'Clip'],
    requantized: ['Conv', 'ConvTranspose', 'Gemm'], // weight_bias_quantization.cc
    bias: 'int32-product',
  },
  dynamic: {
    MatMulInteger: { weightScales: 'channel' },
    ConvInteger: { weightScales: 'channel' },
    'com.microsoft::DynamicQuantizeLSTM': { weightScales: 'channel', obstacle: smallLstm },
  },
  packed: {
    'com.microsoft::MatMulNBits': { bits: [2, 4, 8], blocks, zeroPoints: true },
    'com.microsoft::MatMulBnb4': { bits: [4], blocks, zeroPoints: false },
    'com.microsoft::GatherBlockQuantized': { bits: [2, 4, 8], blocks, zeroPoints: true },
  },
  storage: { types: ['int8'], scales: 'channel' },
};
