import { EspalierError, type Executor, type Graph, type Session } from '@espalier/core';
import { singlePrecision } from '@espalier/passes';
import { openSession, type SessionSource } from './open-session.js';

/** The model that a run began with, as the runtime takes it. */
export interface OriginalSession {
  readonly session: Session;
  /** Whether its layers compute in float32, for the runtime has no kernels for their type. */
  readonly single: boolean;
}

/**
 * A session for the model that a run began with: the file, its graph, or the graph in float32.
 * @throws what the runtime said of the file.
 */
export async function openOriginal(executor: Executor, source: SessionSource): Promise<OriginalSession> {
  try {
    return { session: await openSession(executor, { ...source, foreign: true }), single: false };
  } catch (cause) {
    const single = source.graph && isRefusal(cause) ? inSingle(source.graph) : undefined;
    const session = single && (await executor.open(single).catch(() => undefined));
    if (!session) throw cause;
    return { session, single: true };
  }
}

/** The graph in float32; undefined where it is already, or cannot be. */
function inSingle(graph: Graph): Graph | undefined {
  const { graph: single } = singlePrecision(graph);
  return single === graph ? undefined : single;
}

const refusals: ReadonlySet<string> = new Set(['EXECUTOR_UNSUPPORTED_OP', 'EXECUTOR_UNSUPPORTED_TYPE']);

/** Whether a runtime said that it lacks an op or a type: the model may be right, and run elsewhere. */
export const isRefusal = (cause: unknown): cause is EspalierError =>
  cause instanceof EspalierError && refusals.has(cause.code);
