import { checkGraph, createGraph, type GraphFunction, sortNodes, type ValueId, type ValueInfo } from '@espalier/core';
import { decodeAttributes } from './decode-attribute.js';
import { type DecodeContext, placeIn } from './decode-context.js';
import { addInfos } from './decode-graph.js';
import { decodeNodes } from './decode-node.js';
import { decodeOpsets } from './decode-opsets.js';
import { malformed, quoted } from './errors.js';
import { findRecursion } from './find-recursion.js';
import { entriesOf } from './metadata.js';
import { opNameOf } from './op-name.js';
import type { Proto } from './schema.js';

/** The model-local functions. @throws ONNX_MALFORMED, and what nodes throw. */
export function decodeFunctions(
  context: DecodeContext,
  protos: readonly Proto<'Function'>[],
): readonly GraphFunction[] {
  const seen = new Set<string>();
  const functions = protos.map((proto, i) => {
    const found = decodeFunction(context, proto, `functions[${i}]`);
    const key = `${found.op}\0${found.overload ?? ''}`;
    if (seen.has(key)) {
      const place = placeIn(context, proto, `functions[${i}]`);
      throw malformed(place, { expected: 'each function once', found: `${quoted(found.op)} twice` });
    }
    seen.add(key);
    return found;
  });
  const recursive = findRecursion(functions);
  if (recursive) {
    const index = functions.indexOf(recursive);
    const place = placeIn(context, protos[index]!, `functions[${index}]`);
    throw malformed(place, { expected: 'functions that do not call themselves', found: quoted(recursive.op) });
  }
  return functions;
}

function decodeFunction(context: DecodeContext, proto: Proto<'Function'>, path: string): GraphFunction {
  if (!proto.name) {
    throw malformed(placeIn(context, proto, path), { expected: 'a function with a name', found: 'none' });
  }
  const values = new Map<ValueId, ValueInfo>();
  addInfos(context, { infos: proto.value_info, path: `${path}.value_info`, values, constants: new Map() });
  const metadata = entriesOf(proto.metadata_props);
  const body = {
    inputs: proto.input,
    outputs: proto.output,
    nodes: sortNodes(decodeNodes(context, proto.node, `${path}.node`)),
  };
  checkGraph(createGraph({ name: proto.name, ...body }));
  return {
    ...body,
    op: opNameOf(proto.domain ?? '', proto.name),
    ...(proto.overload ? { overload: proto.overload } : {}),
    parameters: proto.attribute,
    defaults: decodeAttributes(context, proto.attribute_proto, `${path}.attribute_proto`),
    values,
    opsets: decodeOpsets(context, proto.opset_import, `${path}.opset_import`),
    ...(proto.doc_string ? { doc: proto.doc_string } : {}),
    ...(metadata ? { metadata } : {}),
  };
}
