import {
  type Attribute,
  createGraph,
  createNode,
  floats,
  type Graph,
  ints,
  longs,
  opsetOf,
  tensor,
  text,
  type ValueInfo,
} from '@espalier/core';
import { decodeOnnx, encodeOnnx } from '@espalier/onnx';
import { expect, test } from 'vitest';
import { runOnnx } from '../../../test/run-onnx.js';
import { convertOpset } from './convert-opset.js';
import { simplify } from './simplify.js';

const joinedBytes = (graph: Graph): Uint8Array => Buffer.concat(encodeOnnx(graph));
const numbers = (value: readonly number[]): Attribute => ({ kind: 'floats', value });
const texts = (value: readonly string[]): Attribute => ({ kind: 'texts', value });

/** x0 <= 0.5 gives 1; otherwise x1 <= 1.5 gives 2, and 3 beyond it. x1 is doubled first. */
const tree = (): Graph =>
  createGraph({
    inputs: ['x'],
    outputs: ['y'],
    nodes: [
      createNode({
        id: 'scale',
        op: 'ai.onnx.ml::Scaler',
        inputs: ['x'],
        outputs: ['scaled'],
        attributes: { offset: numbers([0, 0]), scale: numbers([1, 2]) },
      }),
      createNode({
        id: 'tree',
        op: 'ai.onnx.ml::TreeEnsembleRegressor',
        inputs: ['scaled'],
        outputs: ['y'],
        attributes: {
          n_targets: { kind: 'int', value: 1 },
          nodes_treeids: ints([0, 0, 0, 0, 0]),
          nodes_nodeids: ints([0, 1, 2, 3, 4]),
          nodes_featureids: ints([0, 0, 1, 0, 0]),
          nodes_modes: texts(['BRANCH_LEQ', 'LEAF', 'BRANCH_LEQ', 'LEAF', 'LEAF']),
          nodes_values: numbers([0.5, 0, 1.5, 0, 0]),
          nodes_truenodeids: ints([1, 0, 3, 0, 0]),
          nodes_falsenodeids: ints([2, 0, 4, 0, 0]),
          target_ids: ints([0, 0, 0]),
          target_nodeids: ints([1, 3, 4]),
          target_treeids: ints([0, 0, 0]),
          target_weights: numbers([1, 2, 3]),
          post_transform: text('NONE'),
        },
      }),
    ],
    values: new Map<string, ValueInfo>([
      ['x', { dtype: 'float32', shape: ['N', 2] }],
      ['y', { dtype: 'float32', shape: ['N', 1] }],
    ]),
    opsets: new Map([['ai.onnx.ml', 3]]),
  });

test('a model of ai.onnx.ml alone passes through reading, simplifying, converting and writing', async () => {
  const read = decodeOnnx(joinedBytes(tree()));
  const passed = convertOpset(simplify(read), 21);
  expect(opsetOf(passed)).toBe(21);
  expect(passed.nodes.map(({ op }) => op)).toEqual(['ai.onnx.ml::Scaler', 'ai.onnx.ml::TreeEnsembleRegressor']);
  const x = floats([0, 9, 1, 0.5, 1, 1], [3, 2]);
  expect((await runOnnx(passed, new Map([['x', x]]))).get('y')).toEqual(floats([1, 2, 3], [3, 1]));
});

test('an encoder of labels keeps its words, and text goes in and out', async () => {
  const encoder = createGraph({
    inputs: ['s'],
    outputs: ['i'],
    nodes: [
      createNode({
        id: 'encode',
        op: 'ai.onnx.ml::LabelEncoder',
        inputs: ['s'],
        outputs: ['i'],
        attributes: {
          keys_strings: texts(['kitten', 'Öhr']),
          values_int64s: ints([1, 2]),
          default_int64: { kind: 'int', value: -1 },
        },
      }),
    ],
    values: new Map<string, ValueInfo>([
      ['s', { dtype: 'string', shape: ['N'] }],
      ['i', { dtype: 'int64', shape: ['N'] }],
    ]),
    opsets: new Map([['ai.onnx.ml', 3]]),
  });
  const passed = simplify(decodeOnnx(joinedBytes(encoder)));
  const words = tensor('string', [3], ['Öhr', 'dog', 'kitten']);
  expect((await runOnnx(passed, new Map([['s', words]]))).get('i')).toEqual(longs([2, -1, 1]));
});

test('maps and sequences as inputs and outputs keep their types', () => {
  const values = new Map<string, ValueInfo>([
    ['d', { dtype: 'float32', shape: [], container: [{ mapFrom: 'string' }] }],
    ['p', { dtype: 'float32', shape: [1, 2] }],
    ['maps', { dtype: 'float32', shape: [], container: ['sequence', { mapFrom: 'string' }] }],
  ]);
  const words = { vocabulary: texts(['a', 'b']) };
  const graph = createGraph({
    inputs: ['d'],
    outputs: ['maps'],
    nodes: [
      createNode({
        id: 'vector',
        op: 'ai.onnx.ml::DictVectorizer',
        inputs: ['d'],
        outputs: ['p'],
        attributes: { string_vocabulary: words.vocabulary },
      }),
      createNode({
        id: 'zip',
        op: 'ai.onnx.ml::ZipMap',
        inputs: ['p'],
        outputs: ['maps'],
        attributes: { classlabels_strings: words.vocabulary },
      }),
    ],
    values,
    opsets: new Map([['ai.onnx.ml', 3]]),
  });
  const passed = decodeOnnx(joinedBytes(simplify(decodeOnnx(joinedBytes(graph)))));
  expect(passed.values.get('d')).toEqual(values.get('d'));
  expect(passed.values.get('maps')).toEqual(values.get('maps'));
});
