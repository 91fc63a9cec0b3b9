import { buildGraph, floats, type Graph, int, ints, type UnitTarget } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { describe, expect, it } from 'vitest';
import { coupled } from './coupled.js';
import { unitTargets } from './unit-targets.js';

const filled = (...shape: number[]) => floats(new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1), shape);

/** Two convolutions, ReLU, side by side; pooling and a dense layer behind, and a convolution beside that. */
function branches(): Graph {
  const b = buildGraph();
  const x = b.input('x', 'float32', ['batch', 2, 4, 4]);
  const made = ['left', 'right'].map((name) =>
    b.add('Relu', [b.add('Conv', [x, b.constant(`${name}.weight`, filled(3, 2, 1, 1))])], { name: `${name}.relu` }),
  );
  const joined = b.add('Concat', made, { name: 'joined', attributes: { axis: int(1) } });
  const side = b.add('Conv', [joined, b.constant('side.weight', filled(2, 6, 1, 1))], { name: 'side' });
  const pooled = b.add('MaxPool', [joined], {
    name: 'pooled',
    attributes: { kernel_shape: ints([2, 2]), strides: ints([2, 2]) },
  });
  const flat = b.add('Flatten', [pooled], { name: 'flat' });
  b.output(b.add('Gemm', [flat, b.constant('fc.weight', filled(24, 2))], { name: 'fc' }));
  b.output(side);
  return inferShapes(b.finish());
}

describe('unitTargets', () => {
  const graph = branches();
  const net = coupled(graph);
  const targets = unitTargets({
    net,
    groups: net.groups.filter(({ prunable }) => prunable),
    counts: ({ role }) => role === 'produces',
  });
  const of = (id: string): UnitTarget => [...targets.values()].find(({ group }) => group === id)!;
  const short = ({ value, axis, indices, each }: UnitTarget['activations'][number]) =>
    `${value}/${axis} ${each}: ${[...indices].join()}`;

  it('describe the weights of each group, with who reads them', () => {
    const { slices, units } = of('right.weight/0');
    expect(units).toBe(3);
    expect(slices.map(({ value, axis, role, counts }) => `${value}/${axis} ${role} ${counts}`)).toEqual([
      'right.weight/0 produces true',
      'side.weight/1 sums false',
      'fc.weight/0 sums false',
    ]);
    expect(slices[1]!.readers.map(({ node, slot }) => `${node.op}.${slot}`)).toEqual(['Conv.1']);
  });

  it('find the units where layers read them, as they are counted there', () => {
    const places = of('right.weight/0').inputs;
    expect(places.map(short)).toEqual(['joined/1 1: 3,4,5', 'flat/1 4: 12,13,14,15,16,17,18,19,20,21,22,23']);
    expect(places.map(({ node, slot }) => `${node}.${slot}`)).toEqual(['side/Conv.0', 'fc/Gemm.0']);
  });

  it('find the activations before pooling and reshaping, each once', () => {
    expect(of('left.weight/0').activations.map(short)).toEqual(['joined/1 1: 0,1,2']);
  });
});
