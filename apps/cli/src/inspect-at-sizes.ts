import { type Inspection, type InspectOptions, inspectGraph } from '@espalier/analysis';
import { EspalierError, type Graph } from '@espalier/core';
import { findInputs, openSizes } from '@espalier/datasets';
import { inferShapes } from '@espalier/ops';
import { checkInputRequest, type InputRequest, portsOf, sizedGraph } from '@espalier/recipe';

/**
 * The facts of the model as it is written, with its costs at the sizes of the request, and at likely ones for
 * dimensions that are still open. @throws INPUT_UNKNOWN, INPUT_SHAPE, GRAPH_SHAPE for sizes that do not go together.
 */
export async function inspectAtSizes(
  graph: Graph,
  request: InputRequest | undefined,
  options: InspectOptions,
): Promise<Inspection> {
  if (request) checkInputRequest([graph], request);
  const assumed = await assumedSizes(request ? sizedGraph(graph, request) : graph);
  const written = inspectGraph(inferShapes(graph), options);
  const none = { dims: new Map(), shapes: new Map(), values: new Map(), tensors: new Map() };
  const all = { ...(request ?? none), dims: new Map([...assumed, ...(request?.dims ?? [])]) };
  if (all.dims.size + all.shapes.size + all.tensors.size === 0) return written;
  try {
    const counted = inspectGraph(sizedGraph(graph, all), options);
    const { inputs, outputs, dtypes, ops } = written;
    return { ...counted, inputs, outputs, dtypes, ops, sizes: Object.fromEntries(all.dims) };
  } catch (cause) {
    // Sizes that nobody gave may not fit together; those of the user must.
    if (request || !(cause instanceof EspalierError)) throw cause;
    return written;
  }
}

/** Sizes for dimensions that are still open, so that costs can be counted: one sample, and what names and ops suggest. */
async function assumedSizes(graph: Graph): Promise<ReadonlyMap<string, number>> {
  const inputs = portsOf(graph);
  const open = openSizes(inputs);
  if (open.length === 0) return new Map();
  const wishes = { dims: new Map(), values: new Map(), distribution: 'normal', below: 8 } as const;
  const { plan } = await findInputs(inputs, wishes, { graph: inferShapes(graph) });
  const batch = open.filter(({ kind }) => kind === 'batch').map(({ name }) => [name, 1] as const);
  return new Map([...(plan?.sizes ?? []), ...batch]);
}
