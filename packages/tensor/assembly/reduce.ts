// Reductions of [outer, length, inner] to [outer, inner]. Sums add blocks of 128 in float32 and the blocks in
// float64, so that the error does not grow with the length.

const block: i32 = 128;

// @ts-ignore: decorator
@inline
function term(op: i32, x: v128): v128 {
  if (op == 1) return f32x4.mul(x, x);
  if (op == 2) return f32x4.abs(x);
  return x;
}

// @ts-ignore: decorator
@inline
function lanes(v: v128): f64 {
  return (f32x4.extract_lane(v, 0) as f64) + f32x4.extract_lane(v, 1) + f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3);
}

// @ts-ignore: decorator
@inline
function rowSum(op: i32, x: usize, length: i32): f64 {
  let total: f64 = 0;
  let left = length;
  while (left >= 4) {
    let sum = f32x4.splat(0);
    let some = min(left >> 2, block);
    left -= some << 2;
    for (; some > 0; some--) {
      sum = f32x4.add(sum, term(op, v128.load(x)));
      x += 16;
    }
    total += lanes(sum);
  }
  for (; left > 0; left--) {
    total += f32x4.extract_lane(term(op, v128.load32_zero(x)), 0);
    x += 4;
  }
  return total;
}

// @ts-ignore: decorator
@inline
function sums(op: i32, x: usize, out: usize, outer: i32, length: i32, inner: i32, scale: f64): void {
  const row = (inner as usize) << 2;
  for (let o = 0; o < outer; o++) {
    if (inner == 1) {
      store<f32>(out + (o << 2), (rowSum(op, x, length) * scale) as f32);
    } else {
      let j: usize = 0;
      for (; j + 16 <= row; j += 16) {
        let low = f64x2.splat(0);
        let high = low;
        let p = x + j;
        let left = length;
        while (left > 0) {
          let some = min(left, block);
          left -= some;
          let sum = f32x4.splat(0);
          for (; some > 0; some--) {
            sum = f32x4.add(sum, term(op, v128.load(p)));
            p += row;
          }
          low = f64x2.add(low, f64x2.promote_low_f32x4(sum));
          high = f64x2.add(high, f64x2.promote_low_f32x4(v128.shuffle<i64>(sum, sum, 1, 0)));
        }
        low = f32x4.demote_f64x2_zero(f64x2.mul(low, f64x2.splat(scale)));
        high = f32x4.demote_f64x2_zero(f64x2.mul(high, f64x2.splat(scale)));
        v128.store(out + o * row + j, v128.shuffle<i64>(low, high, 0, 2));
      }
      for (; j < row; j += 4) {
        let sum: f64 = 0;
        let p = x + j;
        for (let i = 0; i < length; i++) {
          sum += f32x4.extract_lane(term(op, v128.load32_zero(p)), 0);
          p += row;
        }
        store<f32>(out + o * row + j, (sum * scale) as f32);
      }
    }
    x += length * row;
  }
}

// @ts-ignore: decorator
@inline
function join(op: i32, a: v128, b: v128): v128 {
  if (op == 3) return f32x4.max(a, b);
  if (op == 4) return f32x4.min(a, b);
  return f32x4.mul(a, b);
}

// @ts-ignore: decorator
@inline
function folds(op: i32, x: usize, out: usize, outer: i32, length: i32, inner: i32): void {
  const row = (inner as usize) << 2;
  const begin: v128 = f32x4.splat(op == 3 ? -Infinity : op == 4 ? Infinity : 1);
  for (let o = 0; o < outer; o++) {
    let j: usize = 0;
    if (inner == 1 && length >= 4) {
      let found = begin;
      let i = 0;
      for (; i + 4 <= length; i += 4) found = join(op, found, v128.load(x + (i << 2)));
      for (; i < length; i++) found = join(op, found, v128.bitselect(v128.load32_splat(x + (i << 2)), begin, i32x4(-1, 0, 0, 0)));
      found = join(op, found, v128.shuffle<i32>(found, found, 2, 3, 0, 1));
      found = join(op, found, v128.shuffle<i32>(found, found, 1, 0, 3, 2));
      v128.store_lane<f32>(out + (o << 2), found, 0);
      j = row;
    }
    for (; j + 16 <= row; j += 16) {
      let found = begin;
      for (let i = 0; i < length; i++) found = join(op, found, v128.load(x + i * row + j));
      v128.store(out + o * row + j, found);
    }
    for (; j < row; j += 4) {
      let found = begin;
      for (let i = 0; i < length; i++) found = join(op, found, v128.load32_splat(x + i * row + j));
      v128.store_lane<f32>(out + o * row + j, found, 0);
    }
    x += length * row;
  }
}

/** op 0 sums, 1 sums squares, 2 sums magnitudes (each times `scale`), 3 maximum, 4 minimum, 5 product. */
export function reduce(op: i32, x: usize, out: usize, outer: i32, length: i32, inner: i32, scale: f64): void {
  switch (op) {
    case 0:
      return sums(0, x, out, outer, length, inner, scale);
    case 1:
      return sums(1, x, out, outer, length, inner, scale);
    case 2:
      return sums(2, x, out, outer, length, inner, scale);
    case 3:
      return folds(3, x, out, outer, length, inner);
    case 4:
      return folds(4, x, out, outer, length, inner);
    default:
      return folds(5, x, out, outer, length, inner);
  }
}

/** Positions of the first (or last) largest, or with `sign` -1 smallest, element along the middle axis, as int32. */
export function argExtreme(x: usize, out: usize, outer: i32, length: i32, inner: i32, sign: f32, last: i32): void {
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < inner; j++) {
      let best = load<f32>(x + (((o * length) * inner + j) << 2)) * sign;
      let at = 0;
      for (let i = 1; i < length; i++) {
        const value = load<f32>(x + (((o * length + i) * inner + j) << 2)) * sign;
        if (value > best || (last && value == best) || (value != value && best == best)) {
          best = value;
          at = i;
        }
      }
      store<i32>(out + ((o * inner + j) << 2), at);
    }
  }
}
