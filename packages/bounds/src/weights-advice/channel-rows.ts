import { sizeOf } from '@espalier/core';

/** A weight as a matrix: a row for each output channel, its elements side by side. */
export interface ChannelRows {
  readonly values: Float32Array;
  readonly channels: number;
  readonly size: number;
}

const tile = 32;

/**
 * Puts the axes of a weight up to `axes` of them (the output channels) first and flattens the rest, so that what shares
 * a scale lies side by side. `[2, 3]` with axes `[1]` is transposed; with axes `[0]` the very array comes back.
 */
export function channelRows(
  values: Float32Array,
  { shape, axis, lead = 0 }: { readonly shape: readonly number[]; readonly axis: number; readonly lead?: number },
): ChannelRows {
  // Axes from `lead` to `axis` move behind the channel; those before `lead` are channels too (directions of an LSTM).
  const planes = sizeOf(shape.slice(0, lead));
  const outer = sizeOf(shape.slice(lead, axis));
  const length = shape[axis] ?? 1;
  const inner = sizeOf(shape.slice(axis + 1));
  const found = { channels: planes * length, size: outer * inner };
  if (outer === 1) return { values, ...found };
  const out = new Float32Array(values.length);
  for (let p = 0; p < planes; p++) {
    const base = p * outer * length * inner;
    if (inner === 1) swapPlane(values, out, { base, outer, length });
    else {
      for (let o = 0; o < outer; o++) {
        for (let k = 0; k < length; k++) {
          const from = base + (o * length + k) * inner;
          out.set(values.subarray(from, from + inner), base + (k * outer + o) * inner);
        }
      }
    }
  }
  return { values: out, ...found };
}

interface Plane {
  readonly base: number;
  readonly outer: number;
  readonly length: number;
}

// In tiles, so that both sides stay in the cache.
function swapPlane(values: Float32Array, out: Float32Array, { base, outer, length }: Plane): void {
  for (let o = 0; o < outer; o += tile) {
    for (let k = 0; k < length; k += tile) {
      const [lastO, lastK] = [Math.min(outer, o + tile), Math.min(length, k + tile)];
      for (let i = o; i < lastO; i++) {
        for (let j = k; j < lastK; j++) out[base + j * outer + i] = values[base + i * length + j]!;
      }
    }
  }
}
