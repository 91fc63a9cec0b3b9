import {
  type Attribute,
  createGraph,
  createNode,
  type Dim,
  float,
  floats,
  type Graph,
  int,
  intOf,
  type Node,
  scalar,
  sizeOf,
  type Tensor,
} from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { describe, expect, test } from 'vitest';
import { expectLossless } from '../../../test/expect-lossless.js';
import { normalizeGemm } from './normalize-gemm.js';

const weights = (...shape: readonly number[]): Tensor =>
  floats(
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i + 1)),
    shape,
  );

function graphOf(
  shape: readonly Dim[],
  nodes: readonly Node[],
  constants: Readonly<Record<string, Tensor>>,
  opset = 17,
): Graph {
  return inferShapes(
    createGraph({
      inputs: ['x'],
      outputs: ['y'],
      nodes,
      constants: new Map(Object.entries(constants)),
      values: new Map([['x', { dtype: 'float32', shape }]]),
      opsets: new Map([['', opset]]),
    }),
  );
}

const gemm = (attributes: Record<string, Attribute>, ...inputs: readonly string[]) =>
  createNode({ id: 'g', op: 'Gemm', inputs: ['x', ...inputs], outputs: ['y'], attributes });
const matMul = (output: string) => createNode({ id: 'm', op: 'MatMul', inputs: ['x', 'w'], outputs: [output] });
const add = (...inputs: readonly string[]) => createNode({ id: 'a', op: 'Add', inputs, outputs: ['y'] });

/** The one Gemm that is left, as [weight shape, bias shape, transA, transB, alpha, beta]. */
function formOf(graph: Graph) {
  const node = graph.nodes.find(({ op }) => op === 'Gemm')!;
  const shape = (slot: number) => graph.constants.get(node.inputs[slot] ?? '')?.shape.join();
  const number = (name: string) => node.attributes.get(name)?.value ?? 0;
  return [shape(1), shape(2), intOf(node, 'transA', 0), intOf(node, 'transB', 0), number('alpha'), number('beta')];
}

describe('layers of rank 2 become Gemm with an [out, in] weight', () => {
  const graphs: Readonly<Record<string, Graph>> = {
    'MatMul and Add': graphOf(['n', 3], [matMul('h'), add('h', 'b')], { w: weights(3, 4), b: weights(4) }),
    'Add with its operands swapped': graphOf(['n', 3], [matMul('h'), add('b', 'h')], {
      w: weights(3, 4),
      b: weights(1, 4),
    }),
    'a single number as bias': graphOf(['n', 3], [matMul('h'), add('h', 'b')], { w: weights(3, 4), b: scalar(0.5) }),
    'Gemm the other way round': graphOf(['n', 3], [gemm({}, 'w', 'b')], { w: weights(3, 4), b: weights(4) }),
    'Gemm with factors': graphOf(['n', 3], [gemm({ alpha: float(0.5), beta: float(3), transB: int(1) }, 'w', 'b')], {
      w: weights(4, 3),
      b: weights(1, 4),
    }),
    'Gemm of transposed data': graphOf([3, 'n'], [gemm({ transA: int(1) }, 'w', 'b')], {
      w: weights(3, 4),
      b: weights(4),
    }),
  };
  test.each(Object.entries(graphs))('%s', async (_, graph) => {
    const result = await expectLossless(normalizeGemm, graph);
    expect(formOf(result)).toEqual(['4,3', '4', 0, 1, 1, 1]);
  });

  test('without a bias', async () => {
    const graph = graphOf(['n', 3], [matMul('y')], { w: weights(3, 4) });
    expect(formOf(await expectLossless(normalizeGemm, graph))).toEqual(['4,3', undefined, 0, 1, 1, 1]);
    const old = graphOf(['n', 3], [matMul('y')], { w: weights(3, 4) }, 10);
    expect(normalizeGemm(old)).toBe(old);
  });
});

test('a layer in normal form is left alone', () => {
  const graph = graphOf(['n', 3], [gemm({ transB: int(1) }, 'w', 'b')], { w: weights(4, 3), b: weights(4) });
  expect(normalizeGemm(graph)).toBe(graph);
});

test('beyond rank 2, MatMul and Add stay', () => {
  const graph = graphOf(['n', 5, 3], [matMul('h'), add('h', 'b')], { w: weights(3, 4), b: weights(4) });
  expect(normalizeGemm(graph)).toBe(graph);
});

test('a weight that is read twice is neither copied nor turned', async () => {
  const second = createNode({ id: 'm2', op: 'MatMul', inputs: ['h', 'w'], outputs: ['y'] });
  const graph = graphOf(['n', 3], [matMul('h'), second], { w: weights(3, 3) });
  const result = await expectLossless(normalizeGemm, graph);
  expect(result.constants.get('w')).toBe(graph.constants.get('w'));
  expect(result.nodes.map((node) => [node.op, intOf(node, 'transB', 9)])).toEqual([
    ['Gemm', 0],
    ['Gemm', 0],
  ]);
});

test('an Add that broadcasts over rows, or is read elsewhere, stays', async () => {
  const rows = graphOf([2, 3], [matMul('h'), add('h', 'b')], { w: weights(3, 4), b: weights(2, 1) });
  expect((await expectLossless(normalizeGemm, rows)).nodes.map(({ op }) => op)).toEqual(['Gemm', 'Add']);
});
