import { definePlugin, intOf, intsOf, type Node, type Target, textOf } from '@espalier/core';

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
      Conv: { weightScales: 'channel' },
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
    bias: 'int32-product',
  },
  dynamic: {
    MatMulInteger: { weightScales: 'channel' },
    ConvInteger: { weightScales: 'channel' },
    'com.microsoft::DynamicQuantizeLSTM': { weightScales: 'channel' },
  },
  packed: {
    'com.microsoft::MatMulNBits': { bits: [2, 4, 8], blocks, zeroPoints: true },
    'com.microsoft::MatMulBnb4': { bits: [4], blocks, zeroPoints: false },
    'com.microsoft::GatherBlockQuantized': { bits: [2, 4, 8], blocks, zeroPoints: true },
  },
  storage: { types: ['int8'], scales: 'channel' },
};
