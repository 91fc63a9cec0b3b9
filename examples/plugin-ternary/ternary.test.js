import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildGraph, floats, noEvidence, toNumbers } from '@espalier/core';
import { plugins, ternary } from './index.js';
import { ternarize } from './ternarize.js';

test('codes are signs beyond the threshold, and the scale is the mean of what is kept', () => {
  const { codes, scales } = ternarize(Float32Array.of(4, -1, 2, 0.5), { shape: [1, 4], axis: 0, threshold: 0.75 });
  assert.deepEqual([...codes], [1, 0, 1, 0]);
  assert.deepEqual([...scales], [3]);
});

test('every channel has its own threshold and scale, whatever its axis', () => {
  const weights = Float32Array.of(1, 100, -1, 10);
  assert.deepEqual([...ternarize(weights, { shape: [2, 2], axis: 1, threshold: 0.75 }).scales], [1, 100]);
  assert.deepEqual([...ternarize(weights, { shape: [2, 2], axis: 0, threshold: 0.75 }).scales], [100, 10]);
});

test('a channel of zeros keeps a usable scale', () => {
  assert.deepEqual([...ternarize(new Float32Array(2), { shape: [1, 2], axis: 0, threshold: 0.75 }).scales], [1]);
});

test('a layer reads int8 codes through DequantizeLinear', () => {
  const b = buildGraph();
  const x = b.input('x', 'float32', [1, 4]);
  b.output(b.add('MatMul', [x, b.constant('w', floats([4, -1, 2, 0.5], [4, 1]))], { name: 'y' }));
  const { graph, notes } = ternary()(b.finish()).apply(noEvidence);
  assert.deepEqual(
    graph.nodes.map(({ op }) => op),
    ['DequantizeLinear', 'MatMul'],
  );
  assert.deepEqual([...graph.constants.keys()], ['w_quantized', 'w_scale']);
  const codes = graph.constants.get('w_quantized');
  assert.ok(codes);
  assert.deepEqual(toNumbers(codes), [1, 0, 1, 0]);
  assert.equal(notes[0]?.reason, 'Ternary, 50 % zeros, a scale for each of 1 channels.');
});

test('a pattern leaves layers float', () => {
  const b = buildGraph();
  b.output(b.add('MatMul', [b.input('x', 'float32', [1, 1]), b.constant('w', floats([4], [1, 1]))], { name: 'y' }));
  const graph = b.finish();
  assert.equal(ternary({ ignore: ['y*'] })(graph).apply(noEvidence).graph, graph);
});

test('the list of plugins is what recipes look for', () => {
  assert.deepEqual(
    plugins.map(({ kind, id }) => `${kind} ${id}`),
    ['quantizer ternary'],
  );
});
