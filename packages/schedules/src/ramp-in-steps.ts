import type { Span } from '@espalier/core';
import { missingNumber } from './errors.js';
import { inSteps, type Unit } from './in-steps.js';

/** A ramp as written: what is left out follows from the span. */
export interface WrittenRamp {
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly begin: number;
  readonly end: number | undefined;
  readonly unit: Unit;
}

/** A ramp with both values known, and both places in steps. */
export interface Ramp {
  readonly from: number;
  readonly to: number;
  readonly begin: number;
  readonly end: number;
}

/**
 * The ramp over a span: `from`, `to` and `end` are those of the span where they are not written. `id` names the
 * schedule in messages. @throws OPTION_MISSING where neither says them.
 */
export function rampInSteps(written: WrittenRamp, span: Span | undefined, id: string): Ramp {
  const { unit, from = span?.from ?? 0, to = span?.to } = written;
  const place = (at: number) => inSteps(at, { unit, span, id });
  const end = written.end === undefined ? span?.steps : place(written.end);
  if (to === undefined) throw missingNumber(`${id}.to`);
  if (end === undefined) throw missingNumber(`${id}.end`);
  return { from, to, begin: place(written.begin), end };
}
