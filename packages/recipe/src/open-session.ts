import { type Executor, type Graph, type ModelFile, problem, type Session } from '@espalier/core';

/**
 * A session for a model: the runtime reads the file itself where it can, so that what is measured is the file.
 * @throws EXECUTOR_UNSUPPORTED when the runtime reads no files and the graph is not at hand.
 */
export function openSession(
  executor: Executor,
  { graph, file }: { readonly graph: Graph | undefined; readonly file: ModelFile },
): Promise<Session> {
  if (executor.openFile) return executor.openFile(file);
  if (graph) return executor.open(graph);
  throw problem('EXECUTOR_UNSUPPORTED', {
    where: file.path,
    expected: 'an executor that loads files, or the graph itself',
    found: `${executor.id}, which takes graphs`,
  });
}
