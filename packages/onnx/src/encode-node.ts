import type { Node } from '@espalier/core';
import { encodeAttributes } from './encode-attribute.js';
import type { EncodeContext } from './encode-context.js';
import { entriesFrom } from './metadata.js';
import { splitOpName } from './op-name.js';
import type { Draft } from './schema.js';

/** A node as a NodeProto; its id becomes its name. @throws ONNX_UNWRITABLE. */
export function encodeNode(context: EncodeContext, node: Node): Draft<'Node'> {
  const { domain, name } = splitOpName(node.op);
  return {
    input: node.inputs.map((value) => value ?? ''),
    output: node.outputs.map((value) => value ?? ''),
    name: node.id,
    op_type: name,
    domain: domain || undefined,
    attribute: encodeAttributes(context, node.attributes, `node "${node.id}" (${node.op})`),
    doc_string: node.doc,
    overload: node.overload,
    metadata_props: entriesFrom(node.metadata),
  };
}
