import {
  type Attribute,
  checkGraph,
  type Graph,
  noEvidence,
  subgraphsOf,
  type Tensor,
  tensor,
  toNumbers,
} from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { float32, network, normals } from '../test/networks.js';
import { compare, run, tryOut } from '../test/oracle.js';
import { dynamicQuantizer } from './dynamic/dynamic.js';
import { fp16Quantizer } from './float16/fp16.js';
import { weightsQuantizer } from './weights/weights.js';

const draw = normals(11);
const outer = draw([64, 64], 0.2);

/** A branch that multiplies by the shared weight of the whole graph, then by a weight of its own named `own`. */
const branch = (): Graph => ({
  ...network({
    inputs: {},
    outputs: ['out'],
    constants: { own: draw([64, 48], 0.2) },
    lines: [
      ['shared', 'MatMul', ['x', 'outer'], ['h']],
      ['private', 'MatMul', ['h', 'own'], ['out']],
    ],
  }),
  opsets: new Map(),
});
const body = (value: Graph): Attribute => ({ kind: 'graph', value });

const choice = network({
  inputs: { x: float32(3, 64), which: { dtype: 'bool', shape: [] } },
  outputs: ['y'],
  constants: { outer },
  lines: [['if', 'If', ['which'], ['y'], { then_branch: body(branch()), else_branch: body(branch()) }]],
});
const feeds = [1, 0].map(
  (which) =>
    new Map<string, Tensor>([
      ['x', draw([3, 64])],
      ['which', tensor('bool', [], Uint8Array.of(which))],
    ]),
);

/** Integer matrices in a graph and in its branches. */
const heldBy = (graph: Graph): number =>
  [...graph.constants.values()].filter(({ data, dtype }) => data.length > 1000 && dtype !== 'float32').length +
  graph.nodes.flatMap(subgraphsOf).reduce((sum, body) => sum + heldBy(body), 0);

describe.each([
  ['dynamic', dynamicQuantizer(), 0.33, 30],
  ['weights', weightsQuantizer(), 0.18, 15],
] as const)('the %s quantizer in the branches of an If', (_, quantizer, size, decibels) => {
  it('stores matrices of the whole graph and of the branches, equal names each by itself', async () => {
    const { graph, notes, snrDb, bytes } = await tryOut(choice, quantizer, feeds);
    checkGraph(graph);
    expect(heldBy(graph)).toBe(3);
    expect(graph.constants.has('outer')).toBe(false);
    expect(bytes).toBeLessThan(size);
    expect(snrDb.get('y')).toBeGreaterThan(decibels);
    expect(notes.filter(({ outcome }) => outcome === 'quantized').map(({ node }) => node)).toEqual([
      ...['shared', 'private'],
      ...['shared', 'private'],
    ]);
  });

  it('changes nothing the second time', () => {
    const once = quantizer(choice).apply(noEvidence).graph;
    expect(quantizer(once).apply(noEvidence).graph).toBe(once);
  });
});

it('writes standard blocks into the branch that reads them, where onnxruntime fuses them', async () => {
  const { graph } = weightsQuantizer({ form: 'qdq' })(choice).apply(noEvidence);
  expect(heldBy(graph)).toBe(4);
  for (const feed of feeds) {
    const [expected, found] = [await run(choice, feed), await run(graph, feed)].map((each) =>
      toNumbers(each.get('y')!),
    );
    const errors = expected!.map((value, i) => (value - found![i]!) ** 2);
    expect(errors.reduce((a, b) => a + b)).toBeLessThan(0.03 * expected!.reduce((sum, value) => sum + value ** 2, 0));
  }
});

it('halves the weights of a graph and of its branches', async () => {
  const { graph, snrDb, bytes } = await compare(choice, fp16Quantizer(), feeds);
  checkGraph(graph);
  expect(bytes).toBeLessThan(0.56);
  expect(snrDb.get('y')).toBeGreaterThan(60);
});
