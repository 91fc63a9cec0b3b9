import type { Executor, OpenOptions, Session } from './executor.js';
import type { Graph } from './graph.js';

/** Opens one session per graph object and options, and closes all of them. */
export interface SessionCache extends Required<Pick<Executor, 'open' | 'close'>> {
  /** Has `close()` close this session too. */
  keep(opening: Promise<Session>): Promise<Session>;
}

/**
 * A cache over a function that opens sessions, for executors. Callers that ask at the same time share one session; one
 * that fails to open is forgotten.
 */
export function sessionCache(start: (graph: Graph, options: OpenOptions) => Promise<Session>): SessionCache {
  const known = new WeakMap<Graph, Map<string, Promise<Session>>>();
  const open = new Set<Promise<Session>>();

  const keep = (opening: Promise<Session>, forget: () => unknown = () => {}): Promise<Session> => {
    const drop = () => {
      open.delete(kept);
      forget();
    };
    const kept: Promise<Session> = opening.then(
      (session) => ({
        ...session,
        close() {
          drop();
          return session.close();
        },
      }),
      (cause) => {
        drop(); // the next call tries again
        throw cause;
      },
    );
    open.add(kept);
    return kept;
  };

  return {
    keep: (opening) => keep(opening),
    open(graph, options = {}) {
      const key = `optimize=${options.optimize ?? true}`;
      const sessions = known.get(graph) ?? new Map<string, Promise<Session>>();
      known.set(graph, sessions);
      const found = sessions.get(key);
      if (found) return found;
      // A session that is closed once more must not put its successor out.
      const session = keep(start(graph, options), () => sessions.get(key) === session && sessions.delete(key));
      sessions.set(key, session);
      return session;
    },
    async close() {
      const sessions = await Promise.allSettled(open);
      await Promise.all(sessions.map((each) => (each.status === 'fulfilled' ? each.value.close() : undefined)));
    },
  };
}
