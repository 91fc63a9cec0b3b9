import { fromNumbers, sizeOf, type Tensor, toFloats } from '@espalier/core';

/** Which factor an element gets: the weight is seen as [outer, channels, inner] after `groups` equal outer parts. */
export interface ChannelPlan {
  /** Axis whose index chooses the factor. */
  readonly axis: number;
  /** Equal parts of axis 0, each with factors of its own (grouped convolutions); 1 otherwise. */
  readonly groups: number;
}

/** Index of the factor of every row of `inner` neighbours: [rows, inner length]. */
function rowsOf(shape: readonly number[], { axis, groups }: ChannelPlan) {
  const inner = sizeOf(shape.slice(axis + 1));
  const dim = shape[axis]!;
  const perGroup = sizeOf(shape.slice(0, axis + 1)) / groups;
  return {
    inner,
    count: sizeOf(shape.slice(0, axis + 1)),
    channel: (row: number) => (axis === 0 ? row : Math.floor(row / perGroup) * dim + (row % dim)),
  };
}

const valuesOf = (weight: Tensor): Float32Array | Float64Array =>
  weight.dtype === 'float64' ? weight.data : toFloats(weight);

/** The weight with each channel times its factor: products in float64, rounded once. Undefined when one overflows. */
export function scaleWeight(weight: Tensor, factors: Float64Array, plan: ChannelPlan): Tensor | undefined {
  if (factors.every((each) => each === 1)) return weight;
  const from = valuesOf(weight);
  const wide = weight.dtype !== 'float32';
  const out = wide ? new Float64Array(from.length) : new Float32Array(from.length);
  const { inner, count, channel } = rowsOf(weight.shape, plan);
  for (let row = 0, at = 0; row < count; row++) {
    const factor = factors[channel(row)]!;
    for (let i = 0; i < inner; i++, at++) {
      const value = from[at]! * factor;
      out[at] = value;
      if (!Number.isFinite(out[at]!)) return undefined;
    }
  }
  return wide
    ? fromNumbers(weight.dtype, weight.shape, out)
    : { dtype: 'float32', shape: weight.shape, data: out as Float32Array }; // allocated for float32 just above
}

/**
 * The addition to each output that a shift of the inputs causes: Σ over the weights of an output of weight times its input's shift.
 * `output` and `input` say which channels a weight joins.
 */
export function shiftThrough(
  weight: Tensor,
  shift: Float64Array,
  plan: { readonly outputs: number; readonly output: ChannelPlan; readonly input: ChannelPlan },
): Float64Array {
  const from = valuesOf(weight);
  const sums = new Float64Array(plan.outputs);
  const inner = sizeOf(weight.shape.slice(2));
  const output = rowsOf(weight.shape, plan.output);
  const input = rowsOf(weight.shape, plan.input);
  const columns = weight.shape[1]!;
  // A row is one (axis 0, axis 1) pair; the plan on axis 0 counts axis-0 rows only.
  for (let row = 0, at = 0; row < weight.shape[0]! * columns; row++) {
    const lead = Math.floor(row / columns);
    let sum = 0;
    for (let i = 0; i < inner; i++, at++) sum += from[at]!;
    const to = output.channel(plan.output.axis === 0 ? lead : row);
    sums[to]! += sum * shift[input.channel(plan.input.axis === 0 ? lead : row)]!;
  }
  return sums;
}
