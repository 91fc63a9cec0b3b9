import {
  createRandom,
  type Evidence,
  evidenceOf,
  type Graph,
  indexOf,
  type Need,
  needKey,
  sizeOf,
  tensorInfo,
  type ValueId,
} from '@espalier/core';
import { brokenContract } from './errors.js';

/**
 * Evidence for every need, as calibration on normal activations would find it, without running anything: ranges of
 * -3 to 3, bell-shaped histograms, unit moments, grams of a little correlated inputs, and small gradients.
 */
export function syntheticEvidence(graph: Graph, needs: readonly Need[]): Evidence {
  return evidenceOf(new Map(needs.map((need) => [needKey(need), answer(graph, need)])), 64);
}

function answer(graph: Graph, need: Need): unknown {
  switch (need.statistic) {
    case 'range':
      return { min: -3, max: 3 };
    case 'histogram': {
      const centre = (need.bins - 1) / 2;
      const counts = Float64Array.from(
        { length: need.bins },
        (_, i) => 1000 * Math.exp(-4.5 * ((i - centre) / centre) ** 2),
      );
      return { min: -3, max: 3, counts };
    }
    case 'channelRange': {
      const size = sizeAt(graph, need.value, need.axis);
      return { min: new Float32Array(size).fill(-3), max: new Float32Array(size).fill(3) };
    }
    case 'moments': {
      const size = sizeAt(graph, need.value, need.axis);
      return { mean: new Float64Array(size), variance: new Float64Array(size).fill(1) };
    }
    case 'gram':
      return gram(graph, need.node);
    case 'activity': {
      const size = sizeAt(graph, need.value, need.axis);
      const usual = { mean: 0.8, square: 1, zeros: 0.25 }[need.measure];
      return new Float64Array(size).map((_, i) => usual / (1 + (i % 7)));
    }
    case 'change':
      return { cosine: 0.8, relative: 0.4 };
    case 'gradient':
      return normals(needKey(need), sizeOf(tensorInfo(graph, need.value)?.shape?.map(Number) ?? []), need.power);
    case 'weightContribution':
      return contributions(needKey(need), sizeAt(graph, need.value, need.axis), { rows: 4, samples: 16 });
    case 'inputContribution': {
      const value = indexOf(graph).node.get(need.node)?.inputs[need.slot];
      if (value === undefined)
        throw brokenContract('needs', {
          expected: 'an input of a node',
          found: `input ${need.slot} of "${need.node}"`,
        });
      return contributions(needKey(need), sizeAt(graph, value, need.axis), { rows: 64, samples: 1 });
    }
    default:
      throw brokenContract('needs', { expected: 'statistics that calibration knows', found: needKey(need) });
  }
}

/** Seeded normal numbers of deviation 0.01, to a power. */
function normals(name: string, size: number, power: number): Float64Array {
  const random = createRandom(1).fork(name);
  return Float64Array.from({ length: size }, () => (0.01 * random.normal()) ** power);
}

const contributions = (name: string, size: number, { rows, samples }: { rows: number; samples: number }) => ({
  sums: Float32Array.from(normals(name, rows * size, 1)),
  size,
  samples: new Float64Array(rows).fill(samples),
});

function sizeAt(graph: Graph, value: ValueId, axis: number): number {
  const size = tensorInfo(graph, value)?.shape?.at(axis);
  if (typeof size === 'number') return size;
  throw brokenContract('needs', { expected: `an axis of known size of "${value}"`, found: `axis ${axis}` });
}

function gram(graph: Graph, id: string) {
  const node = indexOf(graph).node.get(id);
  const weight = node?.inputs[1] === undefined ? undefined : graph.constants.get(node.inputs[1]);
  if (!node || !weight) throw brokenContract('needs', { expected: 'a layer with a weight', found: `gram of "${id}"` });
  const transposed = node.attributes.get('transB');
  const flat = node.op === 'Conv' || (transposed?.kind === 'int' && transposed.value !== 0);
  const size = flat ? sizeOf(weight.shape.slice(1)) : weight.shape.at(-2)!;
  const sum = new Float64Array(size * size);
  for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) sum[i * size + j] = 64 * 0.3 ** Math.abs(i - j);
  return { sum, size, rows: 64 };
}
