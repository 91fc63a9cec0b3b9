import type { Executor, Graph, ModelFile, Session } from '@espalier/core';

/** A session for a model: the runtime reads the file itself where it can, so that what is measured is the file. */
export const openSession = (
  executor: Executor,
  { graph, file }: { readonly graph: Graph; readonly file: ModelFile },
): Promise<Session> => (executor.openFile ? executor.openFile(file) : executor.open(graph));
