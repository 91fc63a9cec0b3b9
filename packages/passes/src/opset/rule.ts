import type { Attribute, Ground, Node, Tensor, ValueId, ValueInfo } from '@espalier/core';

/** The facts and actions available to a rewriter. */
export interface Conversion extends Pick<Ground, 'constant' | 'fresh'> {
  /** The type of a value, where known. */
  infoOf(value: ValueId | undefined): ValueInfo | undefined;
  /** The tensor of a value that is constant. */
  constantOf(value: ValueId | undefined): Tensor | undefined;
  /** Whether a node, or the model's own outputs, read a value. */
  isRead(value: ValueId): boolean;
  /** Gives up on this node: `found` says what the newer form cannot express. */
  refuse(found: string): never;
}

/** Writes a node as nodes of the opset in which its op changed; the same meaning exactly. */
export type Rewrite = (node: Node, conversion: Conversion) => readonly Node[];

/** The change of an op's form with an opset. */
export interface OpsetRule {
  /** The first opset with the new form. */
  readonly since: number;
  /** Whether the rewrite asks for types, which are inferred for it. */
  readonly typed?: true;
  readonly rewrite: Rewrite;
}

/** A node without some attributes and with some others. */
export function withAttributes(
  node: Node,
  { drop = [], set = {} }: { readonly drop?: readonly string[]; readonly set?: Readonly<Record<string, Attribute>> },
): Node {
  const kept = [...node.attributes].filter(([name]) => !drop.includes(name));
  return { ...node, attributes: new Map([...kept, ...Object.entries(set)]) };
}

/** A node with an input in a slot; slots between are omitted inputs. */
export function withInput(node: Node, slot: number, value: ValueId | undefined): Node {
  const inputs = [...node.inputs];
  while (inputs.length <= slot) inputs.push(undefined);
  inputs[slot] = value;
  while (inputs.length > 0 && inputs.at(-1) === undefined) inputs.pop();
  return { ...node, inputs };
}
