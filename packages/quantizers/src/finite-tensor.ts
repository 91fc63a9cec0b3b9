import { type Tensor, toFloats } from '@espalier/core';

const known = new WeakMap<Tensor, boolean>();

/** Whether every element is a finite number; looked at once per tensor object. */
export function isFiniteTensor(source: Tensor): boolean {
  let finite = known.get(source);
  if (finite === undefined) {
    const values = toFloats(source);
    let doubt = 0;
    for (let i = 0; i < values.length; i++) doubt += values[i]! - values[i]!;
    finite = doubt === 0;
    known.set(source, finite);
  }
  return finite;
}
