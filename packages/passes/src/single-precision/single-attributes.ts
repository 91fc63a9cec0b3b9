import { type Attribute, type DType, int, type Node } from '@espalier/core';
import { dtypeAttribute } from '@espalier/ops';
import { singleTensor } from './single-tensor.js';

/** Attributes that name the type of what an op writes. */
const typeNames = ['to', 'dtype', 'output_datatype', 'output_dtype'] as const;

/** The node with float32 in place of the types wherever its attributes name them or hold tensors of them. */
export function singleAttributes(node: Node, types: ReadonlySet<DType>): Node {
  const changed = new Map<string, Attribute>();
  for (const name of typeNames) {
    const dtype = dtypeAttribute(node, name);
    if (dtype !== undefined && types.has(dtype)) changed.set(name, int(1));
  }
  for (const [name, each] of node.attributes) {
    if (each.kind === 'tensor' && types.has(each.value.dtype)) {
      changed.set(name, { kind: 'tensor', value: singleTensor(each.value) });
    }
  }
  return changed.size === 0 ? node : { ...node, attributes: new Map([...node.attributes, ...changed]) };
}
