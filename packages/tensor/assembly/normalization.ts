import { exp4, log4 } from './exponential';

// @ts-ignore: decorator
@inline
function first(v: v128): f32 {
  return f32x4.extract_lane(v, 0);
}

/**
 * The logarithm of a sum of exponentials whose largest is 1. Where the sum is 1 and a little, that little is all that is
 * left of it: log s = log y + (s - y) / y, y being s in float32.
 */
function logSum(sum: f64): f32 {
  const near = sum as f32;
  return (first(log4(f32x4.splat(near))) + (sum - near) / near) as f32;
}

/**
 * Softmax of each of `rows` dense rows, or its logarithm, x - max x - log Σ e^(x - max x): in this order the largest
 * elements, whose logarithms are near 0, keep their digits.
 */
export function softmax(x: usize, out: usize, rows: i32, length: i32, logarithm: i32): void {
  for (let r = 0; r < rows; r++) {
    let top = load<f32>(x);
    for (let i = 1; i < length; i++) top = max(top, load<f32>(x + (i << 2)));
    const shift = f32x4.splat(top);
    let sum: f64 = 0;
    let i = 0;
    for (; i + 4 <= length; i += 4) {
      const e = exp4(f32x4.sub(v128.load(x + (i << 2)), shift));
      if (!logarithm) v128.store(out + (i << 2), e);
      sum += (f32x4.extract_lane(e, 0) as f64) + f32x4.extract_lane(e, 1) + f32x4.extract_lane(e, 2) + f32x4.extract_lane(e, 3);
    }
    for (; i < length; i++) {
      const e = exp4(f32x4.sub(v128.load32_zero(x + (i << 2)), shift));
      if (!logarithm) v128.store_lane<f32>(out + (i << 2), e, 0);
      sum += first(e);
    }
    const k = logarithm ? logSum(sum) : (1.0 / sum) as f32;
    for (i = 0; i < length; i++) {
      const at = (i as usize) << 2;
      store<f32>(out + at, logarithm ? load<f32>(x + at) - top - k : load<f32>(out + at) * k);
    }
    x += length << 2;
    out += length << 2;
  }
}

/** (x - mean) / sqrt(variance + epsilon) of each dense row; means and 1/deviations are kept where room is given. */
export function normalizeRows(x: usize, out: usize, rows: i32, length: i32, epsilon: f32, means: usize, inverses: usize): void {
  for (let r = 0; r < rows; r++) {
    let sum: f64 = 0;
    for (let i = 0; i < length; i++) sum += load<f32>(x + (i << 2));
    const mean = sum / length;
    let squares: f64 = 0;
    for (let i = 0; i < length; i++) {
      const d = (load<f32>(x + (i << 2)) as f64) - mean;
      squares += d * d;
    }
    const inverse = 1.0 / sqrt(squares / length + (epsilon as f64));
    if (means != 0) store<f32>(means + (r << 2), mean as f32);
    if (inverses != 0) store<f32>(inverses + (r << 2), inverse as f32);
    const m4 = f32x4.splat(mean as f32);
    const i4 = f32x4.splat(inverse as f32);
    let i = 0;
    for (; i + 4 <= length; i += 4) {
      const at = (i as usize) << 2;
      v128.store(out + at, f32x4.mul(f32x4.sub(v128.load(x + at), m4), i4));
    }
    for (; i < length; i++) {
      const at = (i as usize) << 2;
      store<f32>(out + at, (load<f32>(x + at) - (mean as f32)) * (inverse as f32));
    }
    x += length << 2;
    out += length << 2;
  }
}

/**
 * Mean and biased variance of each of `c` columns over `rows` rows. Sums of x - x[0] and of its square, in blocks of
 * 128 rows: shifting by one element keeps the difference of squares from cancelling. `room` holds 4c doubles.
 */
export function columnMoments(x: usize, mean: usize, variance: usize, rows: i32, c: i32, room: usize): void {
  const row = (c as usize) << 2;
  for (let j = 0; j < c; j += 4) {
    const lanes = min(4, c - j);
    const at = (j as usize) << 2;
    const shift = some(x + at, lanes);
    let s0 = f64x2.splat(0), s1 = s0, q0 = s0, q1 = s0;
    let p = x + at;
    let left = rows;
    while (left > 0) {
      let count = min(left, 128);
      left -= count;
      let sum = f32x4.splat(0), square = sum;
      if (lanes == 4) {
        for (; count > 0; count--) {
          const d = f32x4.sub(v128.load(p), shift);
          sum = f32x4.add(sum, d);
          square = f32x4.add(square, f32x4.mul(d, d));
          p += row;
        }
      } else {
        for (; count > 0; count--) {
          const d = f32x4.sub(some(p, lanes), shift);
          sum = f32x4.add(sum, d);
          square = f32x4.add(square, f32x4.mul(d, d));
          p += row;
        }
      }
      s0 = f64x2.add(s0, f64x2.promote_low_f32x4(sum));
      s1 = f64x2.add(s1, f64x2.promote_low_f32x4(v128.shuffle<i64>(sum, sum, 1, 0)));
      q0 = f64x2.add(q0, f64x2.promote_low_f32x4(square));
      q1 = f64x2.add(q1, f64x2.promote_low_f32x4(v128.shuffle<i64>(square, square, 1, 0)));
    }
    v128.store(room, s0);
    v128.store(room, s1, 16);
    v128.store(room, q0, 32);
    v128.store(room, q1, 48);
    for (let l = 0; l < lanes; l++) {
      const d = load<f64>(room + (l << 3)) / rows;
      store<f32>(mean + at + (l << 2), (d + (load<f32>(x + at + (l << 2)) as f64)) as f32);
      store<f32>(variance + at + (l << 2), max(0, load<f64>(room + 32 + (l << 3)) / rows - d * d) as f32);
    }
  }
}

function some(at: usize, lanes: i32): v128 {
  if (lanes == 4) return v128.load(at);
  let v = v128.load32_zero(at);
  if (lanes > 1) v = v128.load_lane<f32>(at + 4, v, 1);
  if (lanes > 2) v = v128.load_lane<f32>(at + 8, v, 2);
  return v;
}

/** out = a x + b with a and b per column; with `other` and e, plus e other. */
export function columnAffine(x: usize, other: usize, out: usize, rows: i32, c: i32, a: usize, b: usize, e: usize): void {
  const row = (c as usize) << 2;
  for (let r = 0; r < rows; r++) {
    let j: usize = 0;
    for (; j + 16 <= row; j += 16) {
      let v = f32x4.add(f32x4.mul(v128.load(x + j), v128.load(a + j)), v128.load(b + j));
      if (other != 0) v = f32x4.add(v, f32x4.mul(v128.load(other + j), v128.load(e + j)));
      v128.store(out + j, v);
    }
    for (; j < row; j += 4) {
      let v = load<f32>(x + j) * load<f32>(a + j) + load<f32>(b + j);
      if (other != 0) v += load<f32>(other + j) * load<f32>(e + j);
      store<f32>(out + j, v);
    }
    x += row;
    out += row;
    if (other != 0) other += row;
  }
}

/** Per column: the sums of dy and of dy (x - mean), in blocks of 128 rows. `room` holds 8 doubles. */
export function columnProducts(x: usize, dy: usize, mean: usize, sum: usize, product: usize, rows: i32, c: i32, room: usize): void {
  const row = (c as usize) << 2;
  for (let j = 0; j < c; j += 4) {
    const lanes = min(4, c - j);
    const at = (j as usize) << 2;
    const shift = some(mean + at, lanes);
    let s0 = f64x2.splat(0), s1 = s0, q0 = s0, q1 = s0;
    let p = x + at, q = dy + at;
    let left = rows;
    while (left > 0) {
      let count = min(left, 128);
      left -= count;
      let plain = f32x4.splat(0), crossed = plain;
      if (lanes == 4) {
        for (; count > 0; count--) {
          const d = v128.load(q);
          plain = f32x4.add(plain, d);
          crossed = f32x4.add(crossed, f32x4.mul(d, f32x4.sub(v128.load(p), shift)));
          p += row;
          q += row;
        }
      } else {
        for (; count > 0; count--) {
          const d = some(q, lanes);
          plain = f32x4.add(plain, d);
          crossed = f32x4.add(crossed, f32x4.mul(d, f32x4.sub(some(p, lanes), shift)));
          p += row;
          q += row;
        }
      }
      s0 = f64x2.add(s0, f64x2.promote_low_f32x4(plain));
      s1 = f64x2.add(s1, f64x2.promote_low_f32x4(v128.shuffle<i64>(plain, plain, 1, 0)));
      q0 = f64x2.add(q0, f64x2.promote_low_f32x4(crossed));
      q1 = f64x2.add(q1, f64x2.promote_low_f32x4(v128.shuffle<i64>(crossed, crossed, 1, 0)));
    }
    v128.store(room, s0);
    v128.store(room, s1, 16);
    v128.store(room, q0, 32);
    v128.store(room, q1, 48);
    for (let l = 0; l < lanes; l++) {
      store<f32>(sum + at + (l << 2), load<f64>(room + (l << 3)) as f32);
      store<f32>(product + at + (l << 2), load<f64>(room + 32 + (l << 3)) as f32);
    }
  }
}
