import { describe, expect, it } from 'vitest';
import { cubic, phasePlan } from './index.js';

describe('phasePlan', () => {
  it('prunes at once, then recovers', () => {
    expect(phasePlan({ mode: 'one-shot', sparsity: 0.5, after: 100 })).toEqual([
      { do: 'prune', sparsity: 0.5 },
      { do: 'recover', steps: 100 },
    ]);
  });

  it('ramps along a schedule and ends exactly at its target', () => {
    const sparsity = cubic({ to: 0.6, end: 400 });
    expect(phasePlan({ mode: 'gradual', sparsity, before: 10, ramp: 400, after: 50 })).toEqual([
      { do: 'train', steps: 10 },
      { do: 'ramp', steps: 400, every: 100, sparsity },
      { do: 'prune', sparsity: 0.6 },
      { do: 'recover', steps: 50 },
    ]);
  });

  it('removes the same share of what is left in every round, rewinding for lottery tickets', () => {
    const plan = phasePlan({ mode: 'iterative', sparsity: 0.64, rounds: 2, steps: 30, warm: 5, between: 'rewind' });
    expect(plan.map((phase) => phase.do)).toEqual([
      'train',
      'keep',
      'train',
      'prune',
      'rewind',
      'recover',
      'prune',
      'rewind',
      'recover',
    ]);
    const [first, second] = plan.filter((phase) => phase.do === 'prune').map((phase) => phase.sparsity);
    expect(first).toBeCloseTo(0.4, 12);
    expect(second).toBeCloseTo(0.64, 12);
  });

  it('refuses a sparsity of one and broken step counts', () => {
    expect(() => phasePlan({ mode: 'one-shot', sparsity: 1, after: 1 })).toThrow(/sparsity: expected a number from 0/);
    expect(() => phasePlan({ mode: 'one-shot', sparsity: 0.5, after: 1.5 })).toThrow(
      /after: expected a whole number of steps, found 1.5/,
    );
  });
});
