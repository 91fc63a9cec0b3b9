import { buildGraph, floats, type Graph, sizeOf } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { expect, test } from 'vitest';
import { denseNet } from '../../../../test/dense-net.js';
import { groupTable } from './group-table.js';

const filled = (...shape: number[]) =>
  floats(
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => i + 1),
    shape,
  );

function mlp(): Graph {
  const b = buildGraph();
  const hidden = b.add('MatMul', [b.input('x', 'float32', ['n', 3]), b.constant('w', filled(3, 5))]);
  b.output(b.add('MatMul', [b.add('Relu', [hidden]), b.constant('v', filled(5, 2))], { name: 'y' }));
  return inferShapes(b.finish());
}

test('a group has its units, the parameters that go with one, and what loses slices', () => {
  const { groups, parameters } = groupTable(mlp());
  const hidden = groups.find(({ prunable }) => prunable);
  expect(hidden).toMatchObject({ units: 5, parametersPerUnit: 3 + 2, changesStatistics: false, reason: null });
  expect(hidden?.members.map(({ value, axis, each }) => `${value}/${axis}x${each}`).sort()).toEqual(['v/1x1', 'w/0x1']);
  expect(groups.filter(({ prunable }) => !prunable).every(({ reason }) => reason !== null)).toBe(true);
  expect(parameters).toEqual({ all: 25, prunable: 25, withStatistics: 25 });
});

test('parameters of the model can be given, and custom ops take part by their rules', () => {
  expect(groupTable(mlp(), { parameters: 100 }).parameters.all).toBe(100);
  expect(groupTable(denseNet()).groups.every(({ prunable }) => !prunable)).toBe(true);
});
