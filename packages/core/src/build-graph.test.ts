import { describe, expect, it } from 'vitest';
import { int } from './attribute.js';
import { buildGraph } from './build-graph.js';
import { checkGraph } from './check-graph.js';
import { printGraph } from './print-graph.js';
import { floats } from './tensor.js';

describe('buildGraph', () => {
  it('builds a graph whose names are unique and whose nodes follow each other', () => {
    const b = buildGraph();
    const x = b.input('x', 'float32', ['batch', 2]);
    const w = b.constant('w', floats([1, 2, 3, 4], [2, 2]));
    const hidden = b.add('Relu', [b.add('MatMul', [x, w])]);
    b.output(b.add('Softmax', [hidden], { name: 'y', attributes: { axis: int(-1) } }));
    const graph = checkGraph(b.finish());
    expect(printGraph(graph)).toBe(
      [
        'graph "graph" (opset 17)',
        '  in  x: float32[batch,2]',
        '  w: float32[2,2] = 1 2 3 4',
        '  MatMul = MatMul(x, w)',
        '  Relu = Relu(MatMul)',
        '  y = Softmax(Relu) {axis=-1}',
        '  out y',
        '',
      ].join('\n'),
    );
  });

  it('goes on from a graph without changing it, and adds one constant once', () => {
    const b = buildGraph();
    b.output(b.add('Relu', [b.input('x', 'float32', [1])], { name: 'y' }));
    const base = b.finish();
    const more = buildGraph(base);
    const two = floats([2]);
    expect(more.constant('two', two)).toBe(more.constant('two', two));
    expect(more.add('Relu', ['y'], { name: 'y' })).toBe('y_1');
    expect(more.output('y', 'z')).toBe('z');
    const graph = checkGraph(more.finish());
    expect([graph.nodes.length, graph.outputs]).toEqual([3, ['y', 'z']]);
    expect([base.nodes.length, base.outputs]).toEqual([1, ['y']]);
  });
});
