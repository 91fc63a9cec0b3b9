import { byteLength, type Graph, joinBytes, type OpenOptions, type Session } from '@espalier/core';
import { encodeOnnx, writeOnnx } from '@espalier/onnx';
import type { InferenceSession } from 'onnxruntime-node';
import { host } from '#host';
import { unsupportedType } from './errors.js';
import { hasHalfConstants } from './half-constants.js';
import { passes } from './ort-tensor.js';
import { portsOf } from './ports.js';
import { prepareGraph } from './prepare-graph.js';
import type { Runtime } from './runtime.js';
import { sessionOptions } from './session-options.js';
import { translateFailure } from './translate-failure.js';
import { wrapSession } from './wrap-session.js';

// Above this, a copy of the weights as one message (and the runtime's copy of that) costs more than a file does.
const inMemory = 256 * 2 ** 20;

/**
 * A session for a graph. Ops of the espalier domain are lowered first. The graph is handed over as one ONNX message; in Node, graphs with more than 256 MB of
 * weights go through a temporary folder, from which the runtime maps them.
 * @throws EXECUTOR_UNSUPPORTED_TYPE, EXECUTOR_UNSUPPORTED_OP, EXECUTOR_FAILED.
 */
export async function openGraph(
  runtime: Runtime,
  graph: Graph,
  options: OpenOptions & { readonly threads: number },
): Promise<Session> {
  checkPorts(runtime, graph);
  const { session, afterClose } = await load(
    runtime,
    await prepareGraph(runtime, graph),
    sessionOptions(runtime, { ...options, halves: hasHalfConstants(graph) }),
  ).catch((cause) => {
    throw translateFailure(cause, {
      runtime: runtime.package,
      where: `graph "${graph.name}"`,
      expected: 'the runtime to load it',
    });
  });
  return wrapSession({
    runtime,
    session,
    name: `graph "${graph.name}"`,
    inputs: portsOf(session.inputMetadata, graph),
    outputs: portsOf(session.outputMetadata, graph),
    afterClose,
  });
}

async function load(
  { api, package: name }: Runtime,
  graph: Graph,
  options: InferenceSession.SessionOptions,
): Promise<{ session: InferenceSession; afterClose: () => Promise<void> }> {
  const large = constantBytes(graph) > inMemory;
  if (!large || name !== 'onnxruntime-node' || !host.temporaryFolder) {
    const session = await api.InferenceSession.create(joinBytes(encodeOnnx(graph)), options);
    return { session, afterClose: async () => {} };
  }
  const folder = await host.temporaryFolder();
  try {
    await writeOnnx(graph, folder.files, { path: 'model.onnx', externalData: 'always' });
    const session = await api.InferenceSession.create(folder.pathOf('model.onnx'), options);
    return { session, afterClose: folder.remove };
  } catch (cause) {
    await folder.remove();
    throw cause;
  }
}

// The runtime's package fails on these without naming the value.
function checkPorts(runtime: Runtime, graph: Graph): void {
  for (const [kind, names] of [
    ['input', graph.inputs],
    ['output', graph.outputs],
  ] as const) {
    for (const name of names) {
      const info = graph.values.get(name);
      if (info && !info.container && !passes(runtime, info.dtype)) {
        throw unsupportedType(`${kind} "${name}"`, info.dtype, runtime.package);
      }
    }
  }
}

function constantBytes(graph: Graph): number {
  let bytes = 0;
  for (const tensor of graph.constants.values()) bytes += byteLength(tensor);
  return bytes;
}
