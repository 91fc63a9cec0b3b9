import { type Graph, sortNodes, type Tensor, type ValueId, type ValueInfo } from '@espalier/core';
import { type DecodeContext, placeIn } from './decode-context.js';
import { decodeNodes } from './decode-node.js';
import { decodeSparseTensor } from './decode-sparse-tensor.js';
import { decodeTensor } from './decode-tensor.js';
import { decodeType } from './decode-type.js';
import { malformed, quoted } from './errors.js';
import { entriesOf } from './metadata.js';
import type { Proto } from './schema.js';

/**
 * A GraphProto as a graph without opsets. Initializers become constants; those that are inputs too (optional inputs
 * with a default, and all weights in files of IR version 3) leave the inputs.
 * @throws ONNX_MALFORMED, GRAPH_CYCLE, and what nodes, tensors and types throw.
 */
export function decodeGraph(context: DecodeContext, proto: Proto<'Graph'>, path: string): Graph {
  const inside = path ? `${path}.` : '';
  const constants = decodeConstants(context, proto, inside);
  const named = (list: readonly Proto<'ValueInfo'>[], field: string) =>
    list.map((info, i) => {
      if (info.name) return info.name;
      throw malformed(placeIn(context, info, `${inside}${field}[${i}]`), { expected: 'a name', found: 'none' });
    });
  const values = new Map<ValueId, ValueInfo>();
  for (const field of ['value_info', 'output', 'input'] as const) {
    addInfos(context, { infos: proto[field], path: `${inside}${field}`, values, constants });
  }
  const metadata = entriesOf(proto.metadata_props);
  return {
    name: proto.name ?? '',
    inputs: named(proto.input, 'input').filter((name) => !constants.has(name)),
    outputs: named(proto.output, 'output'),
    nodes: sortNodes(decodeNodes(context, proto.node, `${inside}node`)),
    constants,
    values,
    opsets: new Map(),
    functions: [],
    provenance: {},
    ...(proto.doc_string ? { doc: proto.doc_string } : {}),
    ...(metadata ? { metadata } : {}),
  };
}

function sameTensor(a: Tensor, b: Tensor): boolean {
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join() || a.data.length !== b.data.length) return false;
  for (let i = 0; i < a.data.length; i++) if (!Object.is(a.data[i], b.data[i])) return false;
  return true;
}

function decodeConstants(context: DecodeContext, proto: Proto<'Graph'>, inside: string): ReadonlyMap<ValueId, Tensor> {
  const constants = new Map<ValueId, Tensor>();
  const add = (name: string, tensor: Tensor, at: { readonly at: number }, path: string) => {
    const before = constants.get(name);
    // A runtime that copies branches writes a weight that both read twice; only another weight of that name is a fault.
    if (before && sameTensor(before, tensor)) return;
    if (name === '' || before) {
      const found = name === '' ? 'none' : `${quoted(name)} twice`;
      throw malformed(placeIn(context, at, path), { expected: 'an initializer with a name of its own', found });
    }
    constants.set(name, tensor);
  };
  proto.initializer.forEach((each, i) => {
    const path = `${inside}initializer[${i}]`;
    add(each.name ?? '', decodeTensor(context, each, path), each, path);
  });
  proto.sparse_initializer.forEach((each, i) => {
    const path = `${inside}sparse_initializer[${i}]`;
    const { name, tensor } = decodeSparseTensor(context, each, path);
    add(name, tensor, each, path);
  });
  return constants;
}

interface Infos {
  readonly infos: readonly Proto<'ValueInfo'>[];
  readonly path: string;
  readonly values: Map<ValueId, ValueInfo>;
  readonly constants: ReadonlyMap<ValueId, Tensor>;
}

/** Notes the types of values; constants know their own. */
export function addInfos(context: DecodeContext, { infos, path, values, constants }: Infos): void {
  infos.forEach((each, i) => {
    const name = each.name ?? '';
    if (name === '' || constants.has(name)) return;
    const info = decodeType(context, each.type, { path: `${path}[${i}].type`, owner: name });
    if (info) values.set(name, info);
  });
}
