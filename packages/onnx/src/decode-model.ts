import { domainOf, type Graph, type Provenance } from '@espalier/core';
import { type DecodeContext, type ExternalReference, placeIn } from './decode-context.js';
import { decodeFunctions } from './decode-function.js';
import { decodeGraph } from './decode-graph.js';
import { decodeMessage } from './decode-message.js';
import { decodeOpsets } from './decode-opsets.js';
import { beyondLimit, inFile, malformed, unsupported } from './errors.js';
import { entriesOf } from './metadata.js';
import type { Proto } from './schema.js';
import type { Source } from './source.js';
import { createCursor } from './wire-reader.js';

/** Options for reading a model, besides its bytes. */
export interface DecodeModelOptions {
  readonly file: string;
  /** Bytes that sparse tensors may take when made dense. */
  readonly maxDenseBytes: number;
  /** The bytes of external data; undefined while they are only being listed. */
  external(reference: ExternalReference): Uint8Array | undefined;
}

/** A ModelProto as a graph, not yet checked as a whole. @throws ONNX_*, GRAPH_*. */
export const decodeModel = (source: Source, options: DecodeModelOptions): Graph =>
  inFile(options.file, () => decode(source, options));

function decode(source: Source, options: DecodeModelOptions): Graph {
  const proto = decodeMessage(createCursor(source, options.file), 'Model', source.bytes.length);
  const context = createContext(options);
  if (!proto.graph) throw malformed(placeIn(context, proto, ''), { expected: 'a model with a graph', found: 'none' });
  if (proto.training_info.length > 0) {
    throw unsupported(placeIn(context, proto, 'training_info'), {
      expected: 'a model for inference',
      found: 'training information',
      fix: 'Export the model without it: changing the graph would leave the training graphs wrong.',
    });
  }
  const graph: Graph = {
    ...decodeGraph(context, proto.graph, 'graph'),
    opsets: decodeOpsets(context, proto.opset_import, 'opset_import'),
    functions: decodeFunctions(context, proto.functions),
    provenance: decodeProvenance(proto),
  };
  checkOpset(context, proto, graph);
  return graph;
}

function createContext({ file, maxDenseBytes, external }: DecodeModelOptions): DecodeContext {
  let left = maxDenseBytes;
  const context: DecodeContext = {
    file,
    external,
    claim(bytes, place) {
      left -= bytes;
      if (left >= 0) return;
      throw beyondLimit(place, {
        expected: `sparse tensors of at most ${maxDenseBytes} bytes in all when made dense`,
        found: `${bytes} bytes more than ${left + bytes} left`,
        fix: 'If the model is to be trusted, read it with a larger `maxDenseBytes`.',
      });
    },
    graph: (proto, path) => decodeGraph(context, proto, path),
  };
  return context;
}

function decodeProvenance(proto: Proto<'Model'>): Provenance {
  const metadata = entriesOf(proto.metadata_props);
  return {
    ...(proto.ir_version === undefined ? {} : { irVersion: proto.ir_version }),
    ...(proto.producer_name ? { producer: proto.producer_name } : {}),
    ...(proto.producer_version ? { producerVersion: proto.producer_version } : {}),
    ...(proto.domain ? { domain: proto.domain } : {}),
    ...(proto.model_version === undefined ? {} : { modelVersion: proto.model_version }),
    ...(proto.doc_string ? { doc: proto.doc_string } : {}),
    ...(metadata ? { metadata } : {}),
  };
}

// Any version is read: ops carry their attributes with them, so nothing depends on a table. `convertOpset` takes a
// graph to the forms that passes and executors know.
function checkOpset(context: DecodeContext, proto: Proto<'Model'>, { opsets, nodes }: Graph): void {
  if (opsets.has('') || nodes.every(({ op }) => domainOf(op) !== '')) return;
  throw unsupported(placeIn(context, proto, 'opset_import'), {
    expected: 'a version of the ONNX operators',
    found: 'no version',
    fix: 'Export the model again with a tool that writes `opset_import`.',
  });
}
