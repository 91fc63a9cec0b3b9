import { type Graph, isFloat, type Port } from '@espalier/core';
import { indexedRows } from './indexed-rows.js';
import type { Fill } from './input-plan.js';

/** Values to use if neither the graph nor the name of an input determines them. */
export interface FillWishes {
  readonly distribution: 'normal' | 'uniform';
  /** Whole numbers are from 0 to one less than this. */
  readonly below: number;
}

// Names that exporters of every framework use; they mean the same everywhere.
const mask = /mask/i;
const position = /position/i;
const segment = /token_type|segment|_type_ids/i;
const rate = /^sr$|sample_?rate|sampling_?rate/i;
const length = /length|_len$|^len|size$/i;
const noise = /timestep|^t$|sigma/i;

/** The way to generate values of an input, from its type, its readers and its name. */
export function fillOf(graph: Graph | undefined, port: Port, wishes: FillWishes): Fill {
  const { dtype, name, shape = [] } = port;
  if (dtype === 'string') return { kind: 'text' };
  if (dtype === 'bool') return mask.test(name) || /cache/i.test(name) ? one : { kind: 'below', below: 2 };
  if (mask.test(name)) return one;
  if (isFloat(dtype)) {
    if (noise.test(name) && shape.length < 2) return one;
    return { kind: wishes.distribution, scale: 1 };
  }
  return wholeNumbers(graph, port, wishes);
}

const one: Fill = { kind: 'constant', value: 1 };

function wholeNumbers(graph: Graph | undefined, { dtype, name, shape = [] }: Port, { below }: FillWishes): Fill {
  const rows = graph && indexedRows(graph, name);
  if (position.test(name)) return { kind: 'positions' };
  if (segment.test(name)) return { kind: 'below', below: Math.min(rows ?? 2, 2) };
  if (rows !== undefined) return { kind: 'below', below: Math.max(1, Math.min(rows, largest(dtype))) };
  if (rate.test(name)) return { kind: 'constant', value: 16_000 };
  if (shape.length === 0 || (length.test(name) && shape.length === 1)) return one;
  if (dtype === 'uint8' && shape.length > 2) return { kind: 'below', below: 256 };
  return { kind: 'below', below: Math.min(below, largest(dtype)) };
}

// One more than the largest value of the narrow integers.
const largest = (dtype: string): number =>
  ({ int4: 8, uint4: 16, int2: 2, uint2: 4, int8: 128, uint8: 256 })[dtype] ?? 2 ** 31;

/** Other values to try, in order, where the first ones make a model fail or give NaN or infinity. */
export const otherFills: readonly ((fill: Fill, port: Port) => Fill)[] = [
  (fill, { dtype }) => (dtype === 'bool' ? { kind: 'constant', value: 0 } : fill),
  (fill, { name }) => (mask.test(name) ? { kind: 'constant', value: 0 } : fill),
  (fill, { dtype }) => (isFloat(dtype) && fill.kind === 'normal' ? { kind: 'uniform', scale: 1 } : fill),
  (fill, { dtype }) => (isFloat(dtype) && fill.kind !== 'constant' ? { kind: 'normal', scale: 0.1 } : fill),
  (fill) => (fill.kind === 'below' ? { kind: 'constant', value: 0 } : fill),
  (fill) => (fill.kind === 'below' ? { kind: 'constant', value: 1 } : fill),
];
