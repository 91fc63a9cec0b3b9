import type { AnyPlugin, Grid, Histogram } from '@espalier/core';
import { type Kit, must } from './kit.js';
import { build, type PluginUnderTest, pluginChecks } from './plugin-checks.js';

const grids: readonly Grid[] = [
  { bits: 8, signed: true, symmetric: true, narrow: true },
  { bits: 8, signed: false, symmetric: false },
  { bits: 4, signed: true, symmetric: false },
];

interface Seen {
  readonly name: string;
  readonly make: (bins: number) => Histogram;
}

const histogram =
  (min: number, max: number, count: (x: number) => number) =>
  (bins: number): Histogram => ({
    min,
    max,
    counts: Float64Array.from({ length: Math.max(1, bins) }, (_, i) => count((i + 0.5) / Math.max(1, bins))),
  });

const seen: readonly Seen[] = [
  { name: 'a bell', make: histogram(-4, 4, (x) => Math.round(1e4 * Math.exp(-32 * (x - 0.5) ** 2))) },
  {
    name: 'positive values with a long tail',
    make: histogram(0, 100, (x) => Math.round(1e4 * Math.exp(-30 * x)) + (x > 0.99 ? 1 : 0)),
  },
  { name: 'zeros only', make: histogram(0, 0, (x) => (x < 0.01 ? 1000 : 0)) },
  { name: 'one value', make: histogram(2.5, 2.5, () => 1) },
  { name: 'nothing counted', make: histogram(-1, 1, () => 0) },
  { name: 'tiny values', make: histogram(-1e-30, 1e-30, () => 10) },
];

/** The contract of observers: choose a finite range inside the observed one, for any data. */
export function describeObserver(plugin: AnyPlugin<'observer'>, test: PluginUnderTest = {}): Kit {
  const where = `observer ${plugin.id}`;
  const choose = ({ make }: Seen, grid: Grid) => {
    const observer = build(plugin, test);
    const found = make(observer.bins);
    const range = { min: found.min, max: found.max };
    return observer.range(observer.bins > 0 ? { range, histogram: found } : { range }, grid);
  };
  return {
    about: where,
    checks: [
      ...pluginChecks(plugin, test),
      {
        name: 'asks for a whole number of bins',
        run() {
          const { bins } = build(plugin, test);
          must(Number.isInteger(bins) && bins >= 0, where, { expected: '0, or a number of bins', found: bins });
        },
      },
      ...seen.map((each) => ({
        name: `chooses a finite range within what was seen, the same every time (${each.name})`,
        run() {
          for (const grid of grids) {
            const { min, max } = choose(each, grid);
            const known = each.make(1);
            // The driver widens a range to hold zero, so an observer may do so itself.
            const [least, most] = [Math.min(0, known.min), Math.max(0, known.max)];
            const bound = grid.symmetric ? Math.max(-least, most) : undefined;
            const inside =
              min <= max && min >= (bound === undefined ? least : -bound) - 1e-9 && max <= (bound ?? most) + 1e-9;
            must(inside, where, { expected: `a range within ${least} to ${most}`, found: { min, max } });
            const again = choose(each, grid);
            must(again.min === min && again.max === max, where, { expected: 'the same range again', found: again });
          }
        },
      })),
    ],
  };
}
