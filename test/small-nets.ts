import {
  buildGraph,
  createRandom,
  float,
  floats,
  type Graph,
  type GraphBuilder,
  int,
  ints,
  longs,
  sizeOf,
  type ValueId,
} from '@espalier/core';

/** A builder, and constants with seeded normal elements. */
function openNet() {
  const random = createRandom(5);
  const b = buildGraph({ inputs: [], outputs: [], nodes: [], opsets: new Map([['', 17]]) });
  const draw = (name: string, shape: readonly number[], { mean = 0, scale = 0.4 } = {}) =>
    b.constant(
      name,
      floats(
        Float32Array.from({ length: sizeOf(shape) }, () => mean + scale * random.normal()),
        shape,
      ),
    );
  return { b, draw };
}

type Draw = ReturnType<typeof openNet>['draw'];
const window = (kernel: number, { stride = 1, pad = 0 } = {}) => ({
  kernel_shape: ints([kernel, kernel]),
  strides: ints([stride, stride]),
  pads: ints([pad, pad, pad, pad]),
});

function batchNorm(b: GraphBuilder, draw: Draw, { x, name, channels }: { x: ValueId; name: string; channels: number }) {
  const own = [
    draw(`${name}.weight`, [channels], { mean: 1 }),
    draw(`${name}.bias`, [channels]),
    draw(`${name}.running_mean`, [channels]),
    draw(`${name}.running_var`, [channels], { mean: 1, scale: 0.05 }),
  ];
  return b.add('BatchNormalization', [x, ...own], { name });
}

/** Convolution, batch norm, ReLU, max pooling, fully connected, softmax: x [N, 2, 8, 8] to probabilities of 3 classes. */
export function convNet(): Graph {
  const { b, draw } = openNet();
  const x = b.input('x', 'float32', ['batch', 2, 8, 8]);
  const conv = b.add('Conv', [x, draw('conv.weight', [4, 2, 3, 3]), draw('conv.bias', [4])], {
    name: 'conv',
    attributes: window(3, { pad: 1 }),
  });
  const relu = b.add('Relu', [batchNorm(b, draw, { x: conv, name: 'bn', channels: 4 })], { name: 'relu' });
  const pool = b.add('MaxPool', [relu], { name: 'pool', attributes: window(2, { stride: 2 }) });
  const flat = b.add('Flatten', [pool]);
  const fc = b.add('Gemm', [flat, draw('fc.weight', [3, 64]), draw('fc.bias', [3])], {
    name: 'logits',
    attributes: { transB: int(1) },
  });
  b.output(b.add('Softmax', [fc], { name: 'y' }));
  return b.finish();
}

/** Depthwise convolution, HardSwish, squeeze-and-excitation, pointwise convolution: x [N, 4, 6, 6] to 3 numbers. */
export function mobileNet(): Graph {
  const { b, draw } = openNet();
  const x = b.input('x', 'float32', ['batch', 4, 6, 6]);
  const attributes = { ...window(3, { pad: 1, stride: 2 }), group: int(4) };
  const depthwise = b.add('Conv', [x, draw('dw.weight', [4, 1, 3, 3])], { attributes });
  const swish = b.add('HardSwish', [batchNorm(b, draw, { x: depthwise, name: 'bn', channels: 4 })]);
  const squeezed = b.add('GlobalAveragePool', [swish]);
  const excited = b.add('Relu', [
    b.add('Conv', [squeezed, draw('se1.weight', [2, 4, 1, 1], { scale: 1 }), draw('se1.bias', [2], { mean: 1 })]),
  ]);
  const gate = b.add('HardSigmoid', [b.add('Conv', [excited, draw('se2.weight', [4, 2, 1, 1])])]);
  const scaled = b.add('Mul', [swish, gate]);
  const point = b.add('Conv', [scaled, draw('pw.weight', [3, 4, 1, 1])]);
  const mean = b.add('ReduceMean', [point], { attributes: { axes: ints([2, 3]), keepdims: int(0) } });
  b.output(mean, 'y');
  return b.finish();
}

/** Embedding, a block of pre-norm attention (2 heads of 4) and Gelu written out: tokens [N, 5] to 3 numbers. */
export function transformer(): Graph {
  const { b, draw } = openNet();
  const tokens = b.input('x', 'int64', ['batch', 5]);
  const shape = (name: string, sizes: readonly number[]) => b.constant(name, longs(sizes));
  const linear = (x: ValueId, name: string, [from, to]: readonly [number, number]) =>
    b.add('Add', [b.add('MatMul', [x, draw(`${name}.weight`, [from, to])]), draw(`${name}.bias`, [to])], { name });
  const norm = (x: ValueId, name: string) =>
    b.add('LayerNormalization', [x, draw(`${name}.weight`, [8], { mean: 1 }), draw(`${name}.bias`, [8])], {
      attributes: { axis: int(-1), epsilon: float(1e-5) },
    });
  const heads = (x: ValueId, order: readonly number[]) =>
    b.add('Transpose', [b.add('Reshape', [x, shape('heads', [0, 5, 2, 4])])], { attributes: { perm: ints(order) } });
  const embedded = b.add('Gather', [draw('embedding', [7, 8]), tokens]);
  const x = b.add('Add', [embedded, draw('position', [5, 8])]);
  const first = norm(x, 'norm1');
  const [q, v] = ['query', 'value'].map((name) => heads(linear(first, name, [8, 8]), [0, 2, 1, 3]));
  const k = heads(linear(first, 'key', [8, 8]), [0, 2, 3, 1]);
  const scores = b.add('Mul', [b.add('MatMul', [q, k]), b.constant('scale', floats([0.5], []))]);
  const mixed = b.add('MatMul', [b.add('Softmax', [scores], { attributes: { axis: int(-1) } }), v]);
  const joined = b.add('Transpose', [mixed], { attributes: { perm: ints([0, 2, 1, 3]) } });
  const attended = b.add('Add', [x, linear(b.add('Reshape', [joined, shape('joined', [0, 5, 8])]), 'out', [8, 8])]);
  const hidden = linear(norm(attended, 'norm2'), 'up', [8, 12]);
  const half = b.add('Mul', [hidden, b.constant('half', floats([0.5], []))]);
  const erf = b.add('Erf', [b.add('Div', [hidden, b.constant('root', floats([Math.SQRT2], []))])]);
  const gelu = b.add('Mul', [half, b.add('Add', [erf, b.constant('one', floats([1], []))])]);
  const out = b.add('Add', [attended, linear(gelu, 'down', [12, 8])]);
  const pooled = b.add('ReduceMean', [out], { attributes: { axes: ints([1]), keepdims: int(0) } });
  b.output(linear(pooled, 'head', [8, 3]), 'y');
  return b.finish();
}
