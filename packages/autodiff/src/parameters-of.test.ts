import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  buildGraph,
  createGraph,
  createNode,
  floats,
  type Graph,
  type GraphBuilder,
  int,
  ints,
  longs,
  sizeOf,
  type Tensor,
  tensor,
  type ValueId,
} from '@espalier/core';
import { decodeOnnx } from '@espalier/onnx';
import { mergeDuplicates, simplify } from '@espalier/passes';
import * as zoo from '@espalier/zoo';
import { describe, expect, test } from 'vitest';
import { modelsFolder } from '../../../test/fixtures.js';
import { convNet, transformer } from '../../../test/small-nets.js';
import { explainConstants } from './explain-constants.js';
import { meanSquaredError } from './losses/mean-squared-error.js';
import { sgd } from './optimizers/sgd.js';
import { parametersOf } from './parameters-of.js';
import { trainingForm } from './training-form.js';
import { trainingStep } from './training-step.js';
import { withParameters } from './with-parameters.js';

const names = (net: Graph) => parametersOf(net).map(({ value, role }) => `${value}:${role}`);
const ramp = (...shape: number[]) =>
  floats(
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => 0.1 + 0.01 * i),
    shape,
  );

/** y made of x [batch, 4, 8] behind a layer, and the answers to all constants. */
function answers(write: (b: GraphBuilder, hidden: ValueId) => ValueId): Readonly<Record<string, string>> {
  const b = buildGraph({ inputs: [], outputs: [], nodes: [], opsets: new Map([['', 18]]) });
  const x = b.input('x', 'float32', ['batch', 4, 8]);
  const hidden = b.add('MatMul', [x, b.constant('first', ramp(8, 8))]);
  b.output(write(b, hidden), 'y');
  const rows = explainConstants(b.finish()).filter(({ value }) => value !== 'first');
  return Object.fromEntries(rows.map(({ value, role, reason }) => [value, role ?? reason]));
}

test('weights, biases and norms are parameters; single numbers are not', () => {
  expect(names(transformer())).toContain('embedding:weight');
  expect(names(transformer())).toContain('position:bias');
  expect(names(transformer()).filter((each) => each.startsWith('scale') || each.startsWith('heads'))).toEqual([]);
  expect(names(convNet())).toEqual([
    'conv.weight:weight',
    'conv.bias:bias',
    'bn.weight:norm',
    'bn.bias:norm',
    'fc.weight:weight',
    'fc.bias:bias',
  ]);
});

describe('constants are parameters through whatever moves them:', () => {
  const shape = (b: GraphBuilder, ...values: number[]) => b.constant('shape', longs(values));
  const cases: Readonly<Record<string, (b: GraphBuilder, hidden: ValueId) => ValueId>> = {
    Transpose: (b, hidden) => {
      const turned = b.add('Transpose', [b.constant('w', ramp(5, 8))], { attributes: { perm: ints([1, 0]) } });
      return b.add('MatMul', [hidden, turned]);
    },
    Reshape: (b, hidden) => b.add('Add', [hidden, b.add('Reshape', [b.constant('w', ramp(32)), shape(b, 4, 8)])]),
    'Unsqueeze and Identity': (b, hidden) => {
      const wide = b.add('Unsqueeze', [b.add('Identity', [b.constant('w', ramp(8))]), shape(b, 0)]);
      return b.add('Add', [hidden, wide]);
    },
    Expand: (b, hidden) => {
      const sizes = b.add('Shape', [hidden]);
      const batch = b.add('Slice', [sizes, shape(b, 0), b.constant('one', longs([1]))]);
      const whole = b.add('Concat', [batch, b.constant('rest', longs([1, 8]))], { attributes: { axis: int(0) } });
      const token = b.add('Expand', [b.constant('w', ramp(1, 1, 8)), whole]);
      return b.add('Concat', [token, hidden], { attributes: { axis: int(1) } });
    },
    'Gather with constant indices': (b, hidden) =>
      b.add('Add', [hidden, b.add('Gather', [b.constant('w', ramp(7, 8)), b.constant('at', longs([3, 1, 1, 0]))])]),
    'Concat with another': (b, hidden) => {
      const both = b.add('Concat', [b.constant('w', ramp(8, 2)), b.constant('v', ramp(8, 3))], {
        attributes: { axis: int(1) },
      });
      return b.add('MatMul', [hidden, both]);
    },
    'Slice of positions': (b, hidden) =>
      b.add('Add', [hidden, b.add('Slice', [b.constant('w', ramp(9, 8)), shape(b, 0), b.constant('end', longs([4]))])]),
    'a product with one number': (b, hidden) =>
      b.add('MatMul', [hidden, b.add('Mul', [b.constant('w', ramp(8, 5)), b.constant('gain', floats([0.5], []))])]),
    'a sum of two': (b, hidden) =>
      b.add('Add', [hidden, b.add('Add', [b.constant('w', ramp(4, 8)), b.constant('v', ramp(1, 8))])]),
  };
  test.each(Object.entries(cases))('%s', (_, write) => {
    const found = answers(write);
    expect(['weight', 'bias']).toContain(found['w']);
    if ('v' in found) expect(['weight', 'bias']).toContain(found['v']);
    if ('gain' in found) expect(found['gain']).toContain('single number');
  });

  test('a tied embedding is one parameter', () => {
    const b = buildGraph();
    const w = b.constant('w', ramp(7, 8));
    const word = b.add('Gather', [w, b.input('ids', 'int64', ['batch', 3])]);
    b.output(b.add('MatMul', [word, b.add('Transpose', [w], { attributes: { perm: ints([1, 0]) } })]), 'y');
    const step = trainingStep(b.finish(), { loss: meanSquaredError(), optimizer: sgd() });
    expect(step.parameters.map(({ name }) => name)).toEqual(['w']);
  });

  test('a trained model keeps names and nodes', () => {
    const b = buildGraph();
    const turned = b.add('Transpose', [b.constant('w', ramp(5, 8))], { attributes: { perm: ints([1, 0]) } });
    b.output(b.add('MatMul', [b.input('x', 'float32', ['batch', 8]), turned]), 'y');
    const net = b.finish();
    const trained = withParameters(net, new Map([['w', floats(new Float32Array(40), [5, 8])]]));
    expect([...trained.constants.keys()]).toEqual(['w']);
    expect(trained.nodes).toEqual(net.nodes);
  });
});

describe('constants that stay', () => {
  test('are said with the reason', () => {
    const half = tensor('float32', [8], new Float32Array(8).fill(0.5));
    const found = answers((b, hidden) => {
      const mean = b.add('Sub', [b.input('image', 'float32', ['batch', 4, 8]), b.constant('mean', half)]);
      const normal = b.add('Div', [mean, b.constant('deviation', half)]);
      let y = b.add('Add', [hidden, normal]);
      y = b.add('Add', [y, b.constant('mask', floats([0, 0, 0, -1e9, 0, 0, 0, 0]))]);
      y = b.add('Add', [y, b.constant('window', floats([0, 0, 0, -100, 0, -100, 0, 0]))]);
      y = b.add('Mul', [y, b.constant('choice', floats([0, 1, 1, 1, 0, 1, 1, 1]))]);
      y = b.add('Add', [y, b.constant('grid', floats([0, 1, 2, 3, 4, 5, 6, 7]))]);
      y = b.add('Mul', [y, b.constant('cosines', ramp(4, 8))]);
      y = b.add('Add', [y, b.constant('places', ramp(4, 8))]);
      y = b.add('Max', [y, b.constant('least', half)]);
      y = b.add('Pow', [y, b.constant('exponent', half)]);
      y = b.add('Mul', [y, b.constant('gain', floats([3], []))]);
      return b.add('Where', [b.add('Greater', [y, b.constant('limit', half)]), y, b.constant('filling', half)]);
    });
    expect(found).toMatchInlineSnapshot(`
      {
        "choice": "a mask",
        "cosines": "a table that multiplies (anchors, rotations), not a scale per channel",
        "deviation": "acts on an input before any layer",
        "exponent": "an exponent",
        "filling": "what a choice fills in",
        "gain": "a single number",
        "grid": "a grid of whole numbers",
        "least": "a bound",
        "limit": "no gradient of an output comes through Greater",
        "mask": "a mask",
        "mean": "acts on an input before any layer",
        "places": "the places of a table that multiplies (anchors)",
        "window": "a mask",
      }
    `);
  });

  test('are frequencies under sines, and planes beside an image', () => {
    const b = buildGraph();
    const image = b.input('x', 'float32', [1, 2, 4, 4]);
    const conv = b.add('Conv', [image, b.constant('w', ramp(2, 2, 1, 1))]);
    const wide = b.add('Concat', [conv, b.constant('coordinates', ramp(1, 2, 4, 4))], { attributes: { axis: int(1) } });
    const angles = b.add('MatMul', [b.input('t', 'float32', [4, 1]), b.constant('frequencies', ramp(1, 4))]);
    const waves = b.add('Sin', [b.add('Mul', [angles, b.constant('two', floats([2], []))])]);
    b.output(b.add('Mul', [wide, waves]), 'y');
    const reasons = new Map(explainConstants(b.finish()).map(({ value, role, reason }) => [value, role ?? reason]));
    expect(reasons.get('w')).toBe('weight');
    expect(reasons.get('coordinates')).toBe('planes put beside those of an image (padding, coordinates)');
    expect(reasons.get('frequencies')).toBe('a factor of angles, under Sin and Cos');
  });
});

describe('equal constants that became one', () => {
  const two = (write: (b: GraphBuilder, x: ValueId, i: number) => ValueId): Graph => {
    const b = buildGraph({
      inputs: [],
      outputs: [],
      nodes: [],
      opsets: new Map([
        ['', 18],
        ['espalier', 1],
      ]),
    });
    let x = b.input('x', 'float32', ['batch', 1, 4]);
    for (const i of [0, 1]) x = write(b, b.add('Conv', [x, b.constant(`w${i}`, ramp(1, 1, 1))]), i);
    b.output(x, 'y');
    return b.finish();
  };

  test('by simplification is none that training would move apart', () => {
    const slopes = two((b, x, i) => b.add('PRelu', [x, b.constant(`slope${i}`, floats([0.25], [1, 1]))]));
    expect([...mergeDuplicates(slopes).constants.keys()]).toEqual([...slopes.constants.keys()]);
    expect(names(trainingForm(simplify(slopes))).filter((each) => each.startsWith('slope'))).toHaveLength(2);
    const scales = two((b, x, i) =>
      b.add('espalier::FakeQuantize', [x, b.constant(`scale${i}`, floats([0.1], []))], {
        attributes: { bits: int(8) },
      }),
    );
    expect(names(trainingForm(simplify(scales))).filter((each) => each.startsWith('scale'))).toHaveLength(2);
  });

  test('in the file are taken apart where they are one number throughout, by the names that Identity kept', () => {
    const zero = floats([0, 0, 0]);
    const net = createGraph({
      inputs: ['x'],
      outputs: ['y'],
      values: new Map([['x', { dtype: 'float32', shape: ['batch', 3] }]]),
      constants: new Map<string, Tensor>([
        ['a.weight', ramp(3, 3)],
        ['a.bias', zero],
        ['shared', ramp(3)],
      ]),
      nodes: [
        createNode({ id: 'same', op: 'Identity', inputs: ['a.bias'], outputs: ['b.bias'] }),
        createNode({ id: 'a', op: 'Gemm', inputs: ['x', 'a.weight', 'a.bias'], outputs: ['a'] }),
        createNode({ id: 'b', op: 'Gemm', inputs: ['a', 'a.weight', 'b.bias'], outputs: ['b'] }),
        createNode({ id: 'c', op: 'Gemm', inputs: ['b', 'a.weight', 'b.bias'], outputs: ['c'] }),
        createNode({ id: 'd', op: 'LayerNormalization', inputs: ['c', 'shared'], outputs: ['d'] }),
        createNode({ id: 'e', op: 'LayerNormalization', inputs: ['d', 'shared'], outputs: ['y'] }),
      ],
    });
    const step = trainingStep(net, { loss: meanSquaredError(), optimizer: sgd() });
    expect(step.parameters.map(({ name }) => name)).toEqual(['a.weight', 'a.bias', 'b.bias', 'c_input2', 'shared']);
    const trained = withParameters(net, new Map([['b.bias', floats([1, 2, 3])]]));
    const bias = (id: string) => trained.constants.get(trained.nodes.find((node) => node.id === id)!.inputs[2]!)!;
    expect(['a', 'b', 'c'].map((id) => [...(bias(id).data as Float32Array)])).toEqual([
      [0, 0, 0],
      [1, 2, 3],
      [0, 0, 0],
    ]);
  });
});

describe('of every reference architecture', () => {
  const small = { depth: 2, width: 32, heads: 2 };
  const models: readonly (readonly [string, Graph, readonly string[]])[] = [
    ...Object.values(zoo)
      .filter((each) => 'kind' in each)
      .map((each) => [each.id, each({}), []] as const),
    ['vit-tiny (small)', zoo.vitTiny({ ...small, size: 32, patch: 8 }), ['class_token', 'encoder.pos_embedding']],
    ['bert-tiny (small)', zoo.bertTiny({ ...small, sequence: 8 }), ['bert.embeddings.position_embeddings.weight']],
    ['decoder-tiny (small)', zoo.decoderTiny({ ...small, sequence: 8 }), ['transformer.wte.weight']],
  ];
  test.each(models)('%s all weights are trained', (_, graph, wanted) => {
    const rows = explainConstants(graph);
    const trained = new Set(rows.filter(({ role }) => role).map(({ value }) => value));
    const stay = rows.filter(({ role }) => !role);
    expect(stay.filter(({ value }) => !/running_|^number\/|mask/.test(value))).toEqual([]);
    for (const name of wanted) expect(trained).toContain(name);
  });
});

const folder = modelsFolder();
describe.skipIf(!folder)('of real files (skipped where there is no models folder)', () => {
  const read = (name: string) => {
    const bytes = readFileSync(join(folder!, name));
    return decodeOnnx(name.endsWith('.gz') ? gunzipSync(bytes) : bytes);
  };
  /** Trained numbers as published, where the file has weights as constants. */
  test.each([
    ['topologies/swin_t.onnx.gz', 28_288_354],
    ['topologies/shufflenet_v2_x0_5.onnx.gz', 1_366_792],
    ['topologies/squeezenet1_1.onnx.gz', 1_235_496],
    ['resnet20-cifar10.onnx', 269_722],
    ['squeezenet_cifar10.onnx', 73_546],
    ['super_resolution.onnx', 59_657],
  ])('%s has %i trained numbers', (name, count) => {
    const sizes = parametersOf(trainingForm(read(name))).map((each) => sizeOf(each.tensor.shape));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(count);
  });

  test('the anchors of a face detector stay', () => {
    const reasons = explainConstants(read('ultraface-version-RFB-320.onnx')).filter(({ value }) =>
      ['465', '467', '473'].includes(value),
    );
    expect(reasons.map(({ role }) => role)).toEqual([undefined, undefined, undefined]);
  });
});
