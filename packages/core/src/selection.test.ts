import { describe, expect, it } from 'vitest';
import { select } from './selection.js';

describe('select', () => {
  it('takes all without patterns, and leaves what `ignore` names or `only` does not', () => {
    expect(select({}).leftOut(['a'])).toBeUndefined();
    const chosen = select({ only: ['conv*'], ignore: ['conv1'] });
    expect(chosen.leftOut(['conv2'])).toBeUndefined();
    expect(chosen.leftOut(['w', 'conv2'])).toBeUndefined();
    expect(chosen.leftOut(['conv1'])).toBe('A pattern of `ignore` names it.');
    expect(chosen.leftOut(['fc'])).toBe('No pattern of `only` names it.');
  });

  it('lets the last override that matches win', () => {
    const chosen = select({
      overrides: [
        ['conv1', 0.1],
        ['conv*', 0.5],
      ],
    });
    expect(chosen.override(['conv1'])).toBe(0.5);
    expect(chosen.override(['fc'])).toBeUndefined();
  });

  it('warns of patterns that match nothing, with the nearest spelling', () => {
    const chosen = select({ only: ['fc'], ignore: ['cnov1'], overrides: [['zzzzzz', 1]] });
    expect(chosen.unmatched(['conv1', 'fc'], 'a group').map(({ outcome, reason }) => `${outcome}: ${reason}`)).toEqual([
      'warning: The pattern "cnov1" of `ignore` does not name a group. Did you mean "conv1"?',
      'warning: The pattern "zzzzzz" of `overrides` does not name a group.',
    ]);
  });
});
