import type { Attribute, Node } from '@espalier/core';
import { decodeAttributes } from './decode-attribute.js';
import { type DecodeContext, placeIn } from './decode-context.js';
import { malformed, quoted, unsupported } from './errors.js';
import { entriesOf } from './metadata.js';
import { opNameOf } from './op-name.js';
import type { Proto } from './schema.js';

/**
 * The nodes of a graph or function in file order. Names become ids; nodes without a name, or with one that is taken,
 * get an id made from it or from their op.
 * @throws ONNX_MALFORMED, ONNX_UNSUPPORTED, and what attributes throw.
 */
export function decodeNodes(context: DecodeContext, protos: readonly Proto<'Node'>[], path: string): readonly Node[] {
  const taken = new Set(protos.map(({ name }) => name ?? ''));
  const used = new Set<string>();
  const counts = new Map<string, number>();
  const idFor = (name: string, op: string, index: number) => {
    if (name !== '' && !used.has(name)) return name;
    const stem = name || `${op.slice(op.lastIndexOf(':') + 1)}_${index}`;
    if (!taken.has(stem)) return stem;
    for (let i = counts.get(stem) ?? 1; ; i++) {
      if (taken.has(`${stem}_${i}`)) continue;
      counts.set(stem, i + 1);
      return `${stem}_${i}`;
    }
  };
  return protos.map((proto, index) => {
    const node = decodeNode(context, proto, `${path}[${index}]`);
    const id = idFor(proto.name ?? '', node.op, index);
    used.add(id);
    taken.add(id);
    return { id, ...node };
  });
}

function decodeNode(context: DecodeContext, proto: Proto<'Node'>, path: string): Omit<Node, 'id'> {
  const place = placeIn(context, proto, path);
  if (!proto.op_type) throw malformed(place, { expected: 'an op_type', found: 'none' });
  if (proto.domain?.includes('::')) {
    throw unsupported(place, { expected: 'a domain without "::"', found: quoted(proto.domain) });
  }
  const op = opNameOf(proto.domain ?? '', proto.op_type);
  const metadata = entriesOf(proto.metadata_props);
  return {
    op,
    inputs: proto.input.map(optionalName),
    outputs: proto.output.map(optionalName),
    attributes: denseConstant(op, decodeAttributes(context, proto.attribute, `${path}.attribute`)),
    ...(proto.doc_string ? { doc: proto.doc_string } : {}),
    ...(metadata ? { metadata } : {}),
    ...(proto.overload ? { overload: proto.overload } : {}),
  };
}

const optionalName = (name: string): string | undefined => (name === '' ? undefined : name);

// A Constant's sparse value was made dense when it was read, so it is an ordinary value from here on.
function denseConstant(op: string, attributes: ReadonlyMap<string, Attribute>): ReadonlyMap<string, Attribute> {
  const sparse = op === 'Constant' ? attributes.get('sparse_value') : undefined;
  if (!sparse || attributes.size !== 1 || sparse.kind !== 'tensor') return attributes;
  return new Map([['value', sparse]]);
}
