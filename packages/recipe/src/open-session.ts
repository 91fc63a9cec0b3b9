import { type Executor, type Graph, type ModelFile, problem, type Session } from '@espalier/core';

/** A model to open. */
export interface SessionSource {
  readonly graph: Graph | undefined;
  readonly file: ModelFile;
  /** Whether the file was written elsewhere: where the runtime refuses it (a newer IR version), the graph is opened. */
  readonly foreign?: boolean;
}

/**
 * A session for a model: the runtime reads the file itself where it can, so that what is measured is the file.
 * @throws EXECUTOR_UNSUPPORTED when the runtime reads no files and the graph is not at hand.
 */
export function openSession(executor: Executor, { graph, file, foreign = false }: SessionSource): Promise<Session> {
  if (executor.openFile) {
    const opened = executor.openFile({ ...file, ...(graph ? { graph } : {}) });
    return foreign && graph ? opened.catch(() => executor.open(graph)) : opened;
  }
  if (graph) return executor.open(graph);
  throw problem('EXECUTOR_UNSUPPORTED', {
    where: file.path,
    expected: 'an executor that loads files, or the graph itself',
    found: `${executor.id}, which takes graphs`,
  });
}
