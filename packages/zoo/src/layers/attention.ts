import { int, ints, type ValueId } from '@espalier/core';
import type { Model } from '../create-model.js';

/** Queries, keys and values of one layer, each [batch · tokens, width]. */
export interface AttentionOptions {
  readonly name: string;
  readonly queries: ValueId;
  readonly keys: ValueId;
  readonly values: ValueId;
  readonly tokens: number;
  readonly heads: number;
  readonly width: number;
  /** Added to the scores; broadcasts to [batch, heads, tokens, tokens]. */
  readonly mask?: ValueId;
}

/**
 * softmax(q·kᵀ/√d + mask)·v per head, d = width / heads (Vaswani et al. 2017, arXiv 1706.03762, eq. 1); returns
 * [batch · tokens, width]. Rows stay flat outside, so that every linear layer is a Gemm with weights [out, in].
 */
export function attention(model: Model, options: AttentionOptions): ValueId {
  const { name, tokens, heads, width, mask } = options;
  const each = width / heads;
  const split = (value: ValueId, what: string, perm: readonly number[]) => {
    const apart = model.add('Reshape', [value, model.longs([-1, tokens, heads, each])], {
      name: `${name}.${what}.heads`,
    });
    return model.add('Transpose', [apart], { name: `${name}.${what}.turned`, attributes: { perm: ints(perm) } });
  };
  const queries = split(options.queries, 'query', [0, 2, 1, 3]);
  const keys = split(options.keys, 'key', [0, 2, 3, 1]);
  const values = split(options.values, 'value', [0, 2, 1, 3]);
  const products = model.add('MatMul', [queries, keys], { name: `${name}.products` });
  const scores = model.add('Mul', [products, model.number(1 / Math.sqrt(each))], { name: `${name}.scores` });
  const masked = mask === undefined ? scores : model.add('Add', [scores, mask], { name: `${name}.masked` });
  const shares = model.add('Softmax', [masked], { name: `${name}.shares`, attributes: { axis: int(-1) } });
  const mixed = model.add('MatMul', [shares, values], { name: `${name}.mixed` });
  const turned = model.add('Transpose', [mixed], { name: `${name}.turned`, attributes: { perm: ints([0, 2, 1, 3]) } });
  return model.add('Reshape', [turned, model.longs([-1, width])], { name });
}
