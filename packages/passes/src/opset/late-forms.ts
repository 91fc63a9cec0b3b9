import type { Node } from '@espalier/core';

/** The opset in which an op first appeared, of those since 24. */
const newOps: ReadonlyMap<string, number> = new Map([
  ['Swish', 24],
  ['TensorScatter', 24],
  ['BitCast', 26],
  ['CumProd', 26],
  ['CausalConvWithState', 27],
  ['LinearAttention', 27],
  ['SwiGLU', 28],
]);

/** The opset in which an attribute first appeared, of those since 24. */
const newAttributes: ReadonlyMap<string, Readonly<Record<string, number>>> = new Map([
  ['Attention', { left_window_size: 25, right_window_size: 25 }],
  ['Cast', { round_mode: 24 }],
  ['CastLike', { round_mode: 24 }],
  ['Range', { stash_type: 27 }],
  ['SpaceToDepth', { mode: 28 }],
]);

/**
 * The part of a node that an older opset, 23 or later, does not have; undefined where there is none. Opsets 24 to 28
 * gave no op another meaning: besides this they only take more dtypes, which a runtime checks as it loads a file.
 */
export function partSince(node: Node, version: number): string | undefined {
  if ((newOps.get(node.op) ?? 0) > version) return `an op of opset ${newOps.get(node.op)}`;
  const inputs = node.op === 'Attention' && node.inputs[6] !== undefined && version < 24;
  if (inputs) return 'an input of opset 24 (nonpad_kv_seqlen)';
  for (const [name, since] of Object.entries(newAttributes.get(node.op) ?? {})) {
    if (since > version && node.attributes.has(name)) return `an attribute of opset ${since} (${name})`;
  }
  return undefined;
}
