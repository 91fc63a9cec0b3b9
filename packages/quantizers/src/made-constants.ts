import type { Tensor, ValueId } from '@espalier/core';

/** Constants made from one tensor in one form: once for the whole model, however many nodes and subgraphs read them. */
export type MadeConstants = (source: Tensor, form: string, make: () => readonly ValueId[]) => readonly ValueId[];

/** Remembers what it made by the tensor itself: names may mean different tensors in different subgraphs. */
export function madeConstants(): MadeConstants {
  const known = new Map<Tensor, Map<string, readonly ValueId[]>>();
  return (source, form, make) => {
    const forms = known.get(source) ?? new Map<string, readonly ValueId[]>();
    known.set(source, forms);
    const names = forms.get(form) ?? make();
    forms.set(form, names);
    return names;
  };
}
