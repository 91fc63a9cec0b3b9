import { problem } from './errors.js';
import type { Graph, Node, ValueInfo } from './graph.js';
import type { Tensor } from './tensor.js';

/** The value of each plain kind of attribute. `bytes` is a STRING whose bytes are not UTF-8. */
export interface AttributeValues {
  int: number;
  float: number;
  text: string;
  bytes: Uint8Array;
  ints: readonly number[];
  floats: readonly number[];
  texts: readonly string[];
  tensor: Tensor;
  tensors: readonly Tensor[];
  graph: Graph;
  graphs: readonly Graph[];
  type: ValueInfo;
  types: readonly ValueInfo[];
}

/** The name of a plain kind of attribute. */
export type AttributeKind = keyof AttributeValues;

/**
 * An attribute with its ONNX kind. Whole numbers are JavaScript numbers; the two ends of int64 (used as "to the
 * end" marks) are kept as ±2^63 and written back saturated. `reference` names an attribute of the enclosing function.
 */
export type Attribute =
  | { [K in AttributeKind]: { readonly kind: K; readonly value: AttributeValues[K] } }[AttributeKind]
  | { readonly kind: 'reference'; readonly value: string; readonly of: AttributeKind };

/** A whole-number attribute. */
export const int = (value: number): Attribute => ({ kind: 'int', value });
/** A list of whole numbers. */
export const ints = (value: readonly number[]): Attribute => ({ kind: 'ints', value });
/** A float32 attribute. */
export const float = (value: number): Attribute => ({ kind: 'float', value });
/** A string attribute. */
export const text = (value: string): Attribute => ({ kind: 'text', value });

function read<K extends AttributeKind, F>(
  node: Node,
  name: string,
  want: { readonly kind: K; readonly fallback: F },
): AttributeValues[K] | F {
  const attribute = node.attributes.get(name);
  if (attribute === undefined) return want.fallback;
  if (attribute.kind !== want.kind) {
    throw problem('GRAPH_ATTRIBUTE', {
      where: `node "${node.id}" (${node.op}), attribute "${name}"`,
      expected: `kind ${want.kind}`,
      found: `kind ${attribute.kind}`,
      fix: 'The file or the pass that made this node wrote the wrong kind of attribute.',
    });
  }
  return attribute.value as AttributeValues[K]; // the kind was compared just above
}

/** Reads a whole-number attribute, or the fallback where it is absent. @throws GRAPH_ATTRIBUTE on another kind. */
export const intOf = <F extends number | undefined>(node: Node, name: string, fallback: F): number | F =>
  read(node, name, { kind: 'int', fallback });
/** Reads a float attribute. @throws GRAPH_ATTRIBUTE on another kind. */
export const floatOf = <F extends number | undefined>(node: Node, name: string, fallback: F): number | F =>
  read(node, name, { kind: 'float', fallback });
/** Reads a list of whole numbers. @throws GRAPH_ATTRIBUTE on another kind. */
export const intsOf = <F extends readonly number[] | undefined>(
  node: Node,
  name: string,
  fallback: F,
): readonly number[] | F => read(node, name, { kind: 'ints', fallback });
/** Reads a list of floats. @throws GRAPH_ATTRIBUTE on another kind. */
export const floatsOf = <F extends readonly number[] | undefined>(
  node: Node,
  name: string,
  fallback: F,
): readonly number[] | F => read(node, name, { kind: 'floats', fallback });
/** Reads a string attribute. @throws GRAPH_ATTRIBUTE on another kind. */
export const textOf = <F extends string | undefined>(node: Node, name: string, fallback: F): string | F =>
  read(node, name, { kind: 'text', fallback });
/** Reads a tensor attribute. @throws GRAPH_ATTRIBUTE on another kind. */
export const tensorOf = <F extends Tensor | undefined>(node: Node, name: string, fallback: F): Tensor | F =>
  read(node, name, { kind: 'tensor', fallback });
