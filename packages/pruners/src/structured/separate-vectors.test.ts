import { buildGraph, floats } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { expect, it } from 'vitest';
import { coupled } from './coupled.js';
import { prepareStructured } from './prepare-structured.js';
import { separateVectors } from './separate-vectors.js';

it('unties layers that share a vector of equal numbers, and leaves shared matrices', () => {
  const b = buildGraph();
  const zeros = b.constant('zeros', floats([0, 0, 0, 0]));
  const matrix = (name: string) => b.constant(name, floats(new Float32Array(16).fill(0.5), [4, 4]));
  const shared = matrix('shared');
  const first = b.add('Gemm', [b.input('x', 'float32', [2, 4]), shared, zeros]);
  const second = b.add('Gemm', [b.add('Relu', [first]), matrix('c'), zeros]);
  b.output(b.add('Gemm', [b.add('Relu', [second]), matrix('d')]), 'y');
  b.output(b.add('Gemm', ['x', shared]), 'z');
  const graph = inferShapes(b.finish());
  const widths = (of: typeof graph) => coupled(of).groups.flatMap(({ prunable, id }) => (prunable ? [id] : []));
  expect(widths(graph)).toEqual([]);
  const apart = separateVectors(graph);
  expect(widths(apart)).toEqual(['c/1']);
  expect(apart.constants.get('zeros_copy')).toBe(graph.constants.get('zeros'));
  expect(separateVectors(apart)).toBe(apart);
  expect(widths(prepareStructured(graph))).toEqual(['c/0']); // transposed, as a Gemm reads it
});
