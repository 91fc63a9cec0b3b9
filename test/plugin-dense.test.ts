import { costsOf } from '@espalier/analysis';
import { buildGraph, createRegistry, floats, type Graph, noEvidence, toNumbers } from '@espalier/core';
import { axisRulesOf, inferShapes, isRefusal, layerOf } from '@espalier/ops';
import {
  channelPruning,
  coupled,
  cut,
  magnitude,
  removeDeadUnits,
  removeDeadUnitsPass,
  weightPruning,
} from '@espalier/pruners';
import { dynamicQuantizer, minmax, staticQuantizer, weightsQuantizer } from '@espalier/quantizers';
import { describe, expect, it } from 'vitest';
import { plugins } from '../examples/plugin-dense/index.js';
import { denseNet } from './dense-net.js';

const rules = axisRulesOf(createRegistry(plugins));

const shapesOf = ({ constants }: Graph) => [...constants].map(([name, { shape }]) => `${name} ${shape.join('x')}`);

describe('one axis rule of a custom layer', () => {
  it('makes it a layer: outputs along the first axis, which has a scale each, sums along the second', () => {
    const graph = denseNet();
    const layer = layerOf(graph, graph.nodes[0]!, rules);
    if (isRefusal(layer)) throw new Error(layer.reason);
    expect(layer.weights).toMatchObject([{ slot: 1, value: 'w', outputs: [0], sums: [1], groups: 1 }]);
    expect(layerOf(graph, graph.nodes[0]!)).toEqual({ reason: 'how the axes of acme::Dense relate is not known' });
  });

  it('counts its parameters and multiply-adds', () => {
    expect(costsOf(denseNet(), { rules })).toMatchObject({ parameters: 18, macs: 18 }); // 3·4 + 2·3
  });

  it('scores and cuts its units', () => {
    const graph = denseNet();
    expect(coupled(graph, { rules }).groups.find(({ id }) => id === 'w/0')).toMatchObject({ prunable: true, units: 3 });
    expect(shapesOf(cut(coupled(graph, { rules }), new Map([['w/0', [1]]])))).toEqual(['w 2x4', 'v 2x2']);
    // The second row of w is by far the smallest.
    const small = channelPruning({ pruner: magnitude(), sparsity: 0.34 })(graph, { axes: rules }).apply(
      noEvidence,
    ).graph;
    expect([...small.constants.get('w')!.data]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('prunes its weights two of four along the axis that it sums over', () => {
    const { graph, notes } = weightPruning({ pruner: magnitude(), granularity: '2:4' })(denseNet(), {
      axes: rules,
    }).apply(noEvidence);
    expect([...graph.constants.get('w')!.data].map((each) => (each === 0 ? 0 : 1))).toEqual([
      ...[0, 0, 1, 1],
      ...[0, 0, 1, 1],
      ...[0, 0, 1, 1],
    ]);
    expect(notes.find(({ value }) => value === 'v')?.reason).toMatch(/sums over 3 inputs/);
    const left = weightPruning({ pruner: magnitude(), granularity: '2:4' })(denseNet()).apply(noEvidence).notes;
    expect(left.map(({ reason }) => reason)).toContain('The layout of its weights is not known.');
  });

  it('removes a unit that only its zeros read', () => {
    const graph = denseNet([1, 0, 3, 4, 0, 6]);
    expect(shapesOf(removeDeadUnits(graph, { axes: rules }))).toEqual(['w 2x4', 'v 2x2']);
    expect(removeDeadUnits(graph)).toBe(graph);
    const pass = removeDeadUnitsPass({});
    expect(shapesOf(pass(graph, { axes: rules }))).toEqual(['w 2x4', 'v 2x2']);
    expect(pass(graph)).toBe(graph);
  });
});

describe('a quantizer without a kernel for a custom layer', () => {
  const noise = (shape: readonly number[], wave: number) =>
    floats(
      Float32Array.from({ length: shape.reduce((product, dim) => product * dim) }, (_, i) => Math.sin(wave * (i + 1))),
      shape,
    );
  const net = (): Graph => {
    const b = buildGraph();
    const w = b.constant('w', noise([16, 64], 3));
    b.output(b.add('acme::Dense', [b.input('x', 'float32', ['batch', 64]), w], { name: 'y' }));
    b.info('y', { dtype: 'float32', shape: ['batch', 16] });
    return inferShapes(b.finish());
  };

  it.each([
    ['static', () => staticQuantizer({ activations: { observer: minmax() } })],
    ['dynamic', () => dynamicQuantizer()],
    ['weights', () => weightsQuantizer()],
  ])('stores its weights in 8 bits under %s, with a scale for each output', (_, make) => {
    const { graph, notes } = make()(net(), { axes: rules }).apply(noEvidence);
    expect(graph.constants.get('w_quantized')).toMatchObject({ dtype: 'int8', shape: [16, 64] });
    expect(graph.constants.get('w_scale')?.shape).toEqual([16, 1]);
    expect(graph.constants.has('w')).toBe(false);
    expect(graph.nodes.map(({ op }) => op)).toEqual(['Cast', 'Mul', 'acme::Dense']);
    expect(notes[0]?.reason).toMatch(/8[- ]bit/);
    // Each row is restored to half a step.
    const [codes, scale] = ['w_quantized', 'w_scale'].map((name) => toNumbers(graph.constants.get(name)!));
    const before = toNumbers(net().constants.get('w')!);
    before.forEach((value, i) => {
      const step = scale![Math.floor(i / 64)]!;
      expect(Math.abs(codes![i]! * step - value)).toBeLessThanOrEqual(step * 0.5001);
    });
    expect(make()(net()).apply(noEvidence).graph.constants.has('w')).toBe(true); // without the rule: not known
  });
});
