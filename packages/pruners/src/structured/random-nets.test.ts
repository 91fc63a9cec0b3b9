import { createRandom, type Graph, type Random } from '@espalier/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { largestDifference, randomFeeds, runOnnx } from '../../../../test/run-onnx.js';
import { randomNet } from '../../test/random-net.js';
import { coupled } from './coupled.js';
import { cut } from './cut.js';
import { maskGroups } from './mask-groups.js';
import type { Removals } from './removal.js';

/** A random part of the units of each group, never all. */
function someUnits(graph: Graph, random: Random): Removals {
  const exact = coupled(graph).groups.filter(({ prunable, changesStatistics }) => prunable && !changesStatistics);
  return new Map(
    exact.map(({ id, units }) => [
      id,
      [...random.permutation(units)].slice(0, random.below(units)).sort((a, b) => a - b),
    ]),
  );
}

// The sweep of thousands: ESPALIER_NETS=5000 vitest run random-nets.
const runs = Number(process.env.ESPALIER_NETS ?? 150);

describe('any network', () => {
  it('computes after a cut what it computes masked', { timeout: 600_000 }, async () => {
    let removed = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), async (seed) => {
        const graph = randomNet(seed);
        const removals = someUnits(graph, createRandom(seed + 1));
        const feeds = randomFeeds(graph, { seed });
        const small = cut(coupled(graph), removals);
        removed += [...removals.values()].reduce((sum, units) => sum + units.length, 0);
        const masked = await runOnnx(maskGroups(coupled(graph), removals), feeds);
        expect(largestDifference(masked, await runOnnx(small, feeds))).toBeLessThan(1e-4);
      }),
      { numRuns: runs, seed: 4 },
    );
    expect(removed).toBeGreaterThan(5 * runs);
  });
});
