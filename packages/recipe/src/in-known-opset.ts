import { EspalierError, type Graph, opsetOf } from '@espalier/core';
import { convertOpset } from '@espalier/passes';

/** The oldest opset whose forms every pass and executor knows. */
const oldest = 7;
/** The newest opset that onnxruntime 1.30 loads. */
const newest = 26;

/**
 * A model as the rest of Espalier and the runtime know it: an older opset is converted up, and a newer one down where
 * no node needs it. A model that needs its newer opset stays as it is.
 * @throws PASS_OPSET for a node of an old opset that today's form of the op cannot express.
 */
export function inKnownOpset(graph: Graph): Graph {
  const version = opsetOf(graph);
  if (version === 0 || (version >= oldest && version <= newest)) return graph;
  if (version < oldest) return convertOpset(graph, oldest);
  try {
    return convertOpset(graph, newest);
  } catch (error) {
    if (error instanceof EspalierError && error.code === 'PASS_OPSET') return graph;
    throw error;
  }
}
