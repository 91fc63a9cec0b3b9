import { sizeOf } from '@espalier/core';
import type { LinearCoding } from './weight-coding.js';

/** Stretches of neighbouring codes, and which scale the first of each has. */
export interface WeightRuns {
  /** Codes in each run. */
  readonly length: number;
  /** Codes of a run after which the next scale begins; 0 when one scale serves the whole run. */
  readonly step: number;
  /** Calls `visit` with the position of each run and the index of its first scale. */
  readonly each: (visit: (at: number, scale: number) => void) => void;
}

/** Cuts codes into runs as long as one rule for their scales holds, so that inner loops stay plain. */
export function weightRuns(shape: readonly number[], { aligned, block }: LinearCoding): WeightRuns {
  let split = shape.length;
  while (split > 0 && aligned[split - 1] === 1) split--;
  // Either all axes from `split` on share a scale, or the last axis has scales of its own.
  const shared = split < shape.length;
  const lead = shared ? split : shape.length - 1;
  const length = sizeOf(shape.slice(lead));
  const dims = shape.slice(0, lead);
  const steps = shape.map((dim, i) => (aligned[i] === 1 ? 0 : aligned[i] === dim ? 1 : block));
  const strides = aligned.map((_, i) => sizeOf(aligned.slice(i + 1)));
  const each: WeightRuns['each'] = (visit) => {
    const runs = sizeOf(dims);
    const place = dims.map(() => 0);
    for (let run = 0; run < runs; run++) {
      let scale = 0;
      for (let i = 0; i < lead; i++) if (steps[i]! > 0) scale += Math.floor(place[i]! / steps[i]!) * strides[i]!;
      visit(run * length, scale);
      for (let i = lead - 1; i >= 0 && ++place[i]! === dims[i]; i--) place[i] = 0;
    }
  };
  return { length, step: shared || lead < 0 ? 0 : steps.at(-1)!, each };
}
