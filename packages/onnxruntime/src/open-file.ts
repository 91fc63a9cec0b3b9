import type { ModelFile, OpenOptions, Session } from '@espalier/core';
import { hasHalfConstants } from './half-constants.js';
import { loadModel } from './load-model.js';
import { portsOf } from './ports.js';
import type { Runtime } from './runtime.js';
import { sessionOptions } from './session-options.js';
import { wrapSession } from './wrap-session.js';

/** A session for a written file, which the runtime loads itself. */
export async function openFile(
  runtime: Runtime,
  file: ModelFile,
  options: OpenOptions & { readonly threads: number },
): Promise<Session> {
  const session = await loadModel(
    runtime,
    file,
    sessionOptions(runtime, { ...options, halves: file.graph !== undefined && hasHalfConstants(file.graph) }),
  );
  return wrapSession({
    runtime,
    session,
    name: file.path,
    inputs: portsOf(session.inputMetadata),
    outputs: portsOf(session.outputMetadata),
    afterClose: async () => {},
  });
}
