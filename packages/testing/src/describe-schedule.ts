import type { AnyPlugin } from '@espalier/core';
import { type Kit, must } from './kit.js';
import { build, type PluginUnderTest, pluginChecks } from './plugin-checks.js';

/** Options of the kit for schedules. */
export interface ScheduleUnderTest extends PluginUnderTest {
  /** The ends that its values stay between, where there are any. */
  readonly between?: readonly [least: number, most: number];
}

const steps = [0, 1, 2, 3, 5, 8, 10, 50, 99, 100, 101, 500, 1000, 12_345, 1e6, 1e9];

/** The contract of schedules: return a number for every step, from the step alone. */
export function describeSchedule(plugin: AnyPlugin<'schedule'>, test: ScheduleUnderTest = {}): Kit {
  const where = `schedule ${plugin.id}`;
  return {
    about: where,
    checks: [
      ...pluginChecks(plugin, test),
      {
        name: 'gives a finite number at every step, however late',
        run() {
          const schedule = build(plugin, test);
          for (const step of steps) {
            const value = schedule(step);
            must(Number.isFinite(value), `${where}, step ${step}`, { expected: 'a finite number', found: value });
          }
        },
      },
      {
        name: 'depends on the step alone, not on the steps asked before',
        run() {
          const [schedule, other] = [build(plugin, test), build(plugin, test)];
          const forwards = steps.map((step) => schedule(step));
          const backwards = [...steps].reverse().map((step) => other(step));
          backwards.reverse();
          const odd = steps.findIndex((_, i) => forwards[i] !== backwards[i]);
          must(odd < 0, `${where}, step ${steps[odd]}`, { expected: `${forwards[odd]}`, found: backwards[odd] });
        },
      },
      {
        name: 'stays between its ends',
        run() {
          const [least, most] = test.between ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
          const schedule = build(plugin, test);
          const out = steps
            .map((step) => schedule(step))
            .find((value) => value < least - 1e-12 || value > most + 1e-12);
          must(out === undefined, where, { expected: `values from ${least} to ${most}`, found: out });
        },
      },
    ],
  };
}
