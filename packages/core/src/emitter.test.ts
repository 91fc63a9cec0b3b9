import { expect, test } from 'vitest';
import { buildGraph } from './build-graph.js';
import { editGraph } from './edit-graph.js';
import { emitter } from './emitter.js';
import { createGraph, createNode } from './graph.js';

const relu = createGraph({
  inputs: ['x'],
  outputs: ['y'],
  nodes: [createNode({ id: 'y', op: 'Relu', inputs: ['x'], outputs: ['y'] })],
});

test('nodes are named after the prefix and their op, without its domain', () => {
  const b = buildGraph(relu);
  const e = emitter(b, { prefix: 'p' });
  expect(e.emit('custom::Twice', ['y'])).toBe('p/Twice');
  expect(e.emit('custom::Twice', ['y'])).toBe('p/Twice_1');
  expect(e.under('q').emitAll('Split', ['y'], { outputs: 2 })).toEqual(['q/Split', 'q/Split_out1']);
  const { nodes } = b.finish();
  expect(nodes.map(({ id }) => id)).toEqual(['y', 'p/Twice/Twice', 'p/Twice_1/Twice', 'q/Split/Split']);
});

test('a constant of the same numbers is added once, and -0 is not 0', () => {
  const draft = editGraph(relu);
  const e = emitter(draft, { prefix: 'p' });
  expect(e.longs([1, 2])).toBe(e.under('q').longs([1, 2]));
  expect(e.scalar(0)).toBe(e.scalar(0));
  expect(e.scalar(0)).not.toBe(e.scalar(-0));
  expect(e.scalar(0)).not.toBe(e.scalar(0, 'float16'));
  expect(e.floats([1, 2], [2])).not.toBe(e.floats([1, 2], [2, 1]));
  expect([...draft.finish().constants.keys()]).toEqual([
    'numbers',
    'number',
    'number_1',
    'number_2',
    'numbers_1',
    'numbers_2',
  ]);
});

test('a value that has its name already is written under it; one left out is not written', () => {
  const b = buildGraph({ ...relu, outputs: ['z'] });
  const e = emitter(b, { prefix: 'p' });
  e.emitAs('z', 'Neg', ['y']);
  e.emitAs(undefined, 'Neg', ['y']);
  expect(
    b
      .finish()
      .nodes.slice(1)
      .map(({ outputs }) => outputs),
  ).toEqual([['z']]);
});

test('what is made under a key is made once', () => {
  const e = emitter(buildGraph(relu), { prefix: 'p' });
  expect(e.once('twice', () => e.emit('Neg', ['y']))).toBe(e.once('twice', () => e.emit('Neg', ['y'])));
});
