import { describe, expect, it } from 'vitest';
import { EspalierError, problem } from './errors.js';

describe('problems', () => {
  it('say where, what was expected, what was found and what to do', () => {
    const cause = new Error('inner');
    const made = problem('AREA_PROBLEM', {
      where: 'node "a" (Conv)',
      expected: 'rank 4',
      found: 'rank 3',
      fix: 'Reshape it.',
      details: { rank: 3 },
      cause,
    });
    expect(made).toBeInstanceOf(EspalierError);
    expect(made.message).toMatchInlineSnapshot(`"node "a" (Conv): expected rank 4, found rank 3. Reshape it."`);
    expect(made.details).toEqual({
      where: 'node "a" (Conv)',
      expected: 'rank 4',
      found: 'rank 3',
      fix: 'Reshape it.',
      rank: 3,
    });
    expect(made.cause).toBe(cause);
    expect(`${made}`).toContain('EspalierError: node "a"');
  });

  it('are known when they come from another copy of the package', async () => {
    const again = '?copy'; // another module to the loader
    const copy = (await import(/* @vite-ignore */ `./errors.js${again}`)) as typeof import('./errors.js');
    expect(copy.EspalierError).not.toBe(EspalierError);
    expect(copy.problem('AREA_PROBLEM', { where: 'a', expected: 'b', found: 'c' })).toBeInstanceOf(EspalierError);
    for (const other of [new Error('x'), null, undefined, 'text', {}])
      expect(other instanceof EspalierError).toBe(false);
  });

  it('have no cause where there is none', () => {
    const made = problem('AREA_PROBLEM', { where: 'here', expected: 'this', found: 'that' });
    expect('cause' in made).toBe(false);
    expect(made.message).toBe('here: expected this, found that.');
  });
});
