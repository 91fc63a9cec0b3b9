import type { Contributions } from '@espalier/core';

/** Rows of sums as they come in, batch after batch. */
export interface ContributionRows {
  /** Adds rows that stand for `samples` samples each; the same number of columns every time. */
  add(sums: Float32Array, rows: { readonly count: number; readonly samples: number }): void;
  answer(): Contributions;
}

/** Gathers rows without copying them more than once. */
export function contributionRows(): ContributionRows {
  const parts: Float32Array[] = [];
  const samples: number[] = [];
  let length = 0;
  return {
    add(sums, rows) {
      parts.push(sums);
      length += sums.length;
      for (let row = 0; row < rows.count; row++) samples.push(rows.samples);
    },
    answer() {
      const sums = new Float32Array(length);
      let at = 0;
      for (const part of parts) {
        sums.set(part, at);
        at += part.length;
      }
      return { sums, size: length / Math.max(1, samples.length), samples: Float64Array.from(samples) };
    },
  };
}
