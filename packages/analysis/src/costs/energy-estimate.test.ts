import { buildGraph, floats } from '@espalier/core';
import { describe, expect, test } from 'vitest';
import { costsOf } from './costs-of.js';
import { energyEstimate, macPicojoules } from './energy-estimate.js';

describe('the energy model', () => {
  test('adds the published energies of a product and a sum', () => {
    expect(macPicojoules(32, 32)).toBeCloseTo(4.6, 12);
    expect(macPicojoules(16, 16)).toBeCloseTo(1.5, 12);
    expect(macPicojoules(8, 8)).toBeCloseTo(0.3, 12);
    expect(macPicojoules(4, 8)).toBeCloseTo(0.2, 12);
  });

  test('widens narrow weights to the activations they meet', () => {
    expect(macPicojoules(4, 32)).toBe(macPicojoules(32, 32));
    expect(macPicojoules(8, 16)).toBe(macPicojoules(16, 16));
  });

  test('counts compute, weights from DRAM and activations through on-chip memory', () => {
    const b = buildGraph();
    const x = b.input('x', 'float32', ['batch', 100]);
    b.output(b.add('MatMul', [x, b.constant('w', floats(new Float32Array(2000).fill(1), [100, 20]))], { name: 'y' }));
    const energy = energyEstimate(costsOf(b.finish()));
    expect(energy.computeUj).toBeCloseTo((2000 * 4.6) / 1e6, 12);
    expect(energy.weightsUj).toBeCloseTo((1000 * 1300) / 1e6, 12); // 8000 bytes
    expect(energy.activationsUj).toBeCloseTo((10 * 2 * 100) / 1e6, 12); // 80 bytes
    expect(energy.totalUj).toBeCloseTo(energy.computeUj + energy.weightsUj + energy.activationsUj, 12);
    expect(energy.unknown).toEqual([]);
  });

  test('names what it could not count', () => {
    const b = buildGraph();
    const x = b.input('x', 'float32', ['batch', 'width']);
    b.output(b.add('strange::Op', [x], { name: 'y' }));
    expect(energyEstimate(costsOf(b.finish())).unknown).toEqual(['y/Op']);
  });
});
