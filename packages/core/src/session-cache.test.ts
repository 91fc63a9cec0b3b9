import { describe, expect, it } from 'vitest';
import type { Session } from './executor.js';
import { createGraph } from './graph.js';
import { sessionCache } from './session-cache.js';

const graph = () => createGraph({ inputs: [], outputs: [], nodes: [] });

/** A cache over sessions that say when they are closed. */
function counted() {
  const closed: string[] = [];
  let opened = 0;
  const cache = sessionCache(async (_, { optimize = true }): Promise<Session> => {
    const name = `${++opened}${optimize ? '' : ' plain'}`;
    return { inputs: [], outputs: [], run: async () => new Map(), close: async () => void closed.push(name) };
  });
  return { cache, closed, opened: () => opened };
}

describe('a session cache', () => {
  it('opens one session per graph object and options, also for callers that do not wait', async () => {
    const { cache, opened } = counted();
    const [a, b] = [graph(), graph()];
    const [one, same] = await Promise.all([cache.open(a), cache.open(a, { optimize: true })]);
    expect(one).toBe(same);
    expect(await cache.open(a, { optimize: false })).not.toBe(one);
    expect(await cache.open(b)).not.toBe(one);
    expect(opened()).toBe(3);
  });

  it('opens a graph anew once its session is closed, and keeps the new one when the old is closed again', async () => {
    const { cache, closed } = counted();
    const a = graph();
    const old = await cache.open(a);
    await old.close();
    const next = await cache.open(a);
    expect(next).not.toBe(old);
    await old.close();
    expect(await cache.open(a)).toBe(next);
    expect(closed).toEqual(['1', '1']);
  });

  it('closes what is open, kept sessions included, each once', async () => {
    const { cache, closed } = counted();
    await cache.open(graph());
    const other = counted();
    await cache.keep(other.cache.open(graph()));
    await cache.close();
    await cache.close();
    expect([closed, other.closed]).toEqual([['1'], ['1']]);
  });

  it('tries again after a failure', async () => {
    let tries = 0;
    const cache = sessionCache(async () => {
      if (++tries === 1) throw new Error('no memory');
      return { inputs: [], outputs: [], run: async () => new Map(), close: async () => {} };
    });
    const a = graph();
    await expect(cache.open(a)).rejects.toThrow('no memory');
    await expect(cache.open(a)).resolves.toBeDefined();
    await cache.close();
  });
});
