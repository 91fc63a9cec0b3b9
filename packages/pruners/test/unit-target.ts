import { floats, type UnitTarget } from '@espalier/core';

/** A group whose units are the rows of one weight "w" that a Gemm "fc" reads; its activations are axis 1 of "h". */
export function unitTarget(rows: readonly (readonly number[])[], more: Partial<UnitTarget> = {}): UnitTarget {
  const weight = floats(rows.flat(), [rows.length, rows[0]?.length ?? 0]);
  const indices = Int32Array.from(rows, (_, i) => i);
  const place = { value: 'h', axis: 1, indices, each: 1 };
  return {
    group: 'w/0',
    units: rows.length,
    slices: [{ value: 'w', weight, axis: 0, indices, each: 1, role: 'produces', counts: true, readers: [] }],
    inputs: [{ ...place, node: 'fc', slot: 0 }],
    activations: [place],
    ...more,
  };
}
