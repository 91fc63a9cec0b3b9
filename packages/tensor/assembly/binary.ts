// @ts-ignore: decorator
@inline
function truth(mask: v128): v128 {
  return v128.and(mask, i32x4.splat(1));
}

// @ts-ignore: decorator
@inline
function apply(op: i32, a: v128, b: v128): v128 {
  if (op == 0) return f32x4.add(a, b);
  if (op == 1) return f32x4.sub(a, b);
  if (op == 2) return f32x4.mul(a, b);
  if (op == 3) return f32x4.div(a, b);
  if (op == 4) return f32x4.max(a, b);
  if (op == 5) return f32x4.min(a, b);
  if (op == 6) return truth(f32x4.eq(a, b));
  if (op == 7) return truth(f32x4.gt(a, b));
  if (op == 8) return truth(f32x4.ge(a, b));
  if (op == 9) return truth(f32x4.lt(a, b));
  if (op == 10) return truth(f32x4.le(a, b));
  if (op == 11) return v128.bitselect(f32x4.mul(a, b), a, f32x4.lt(a, f32x4.splat(0))); // PRelu
  if (op == 12) return v128.and(a, b);
  if (op == 13) return v128.or(a, b);
  if (op == 14) return v128.xor(a, b);
  if (op == 15) return truth(i32x4.eq(a, b));
  if (op == 16) return i32x4.add(a, b);
  if (op == 17) return i32x4.sub(a, b);
  if (op == 18) return i32x4.mul(a, b);
  if (op == 19) return truth(i32x4.gt_s(a, b));
  return truth(i32x4.lt_s(a, b)); // 20
}

// @ts-ignore: decorator
@inline
function run(op: i32, a: usize, b: usize, out: usize, rank: i32, meta: usize): void {
  const shape = meta;
  const sa = meta + (rank << 2);
  const sb = sa + (rank << 2);
  const index = sb + (rank << 2);
  memory.fill(index, 0, (rank as usize) << 2);
  const last = ((rank - 1) as usize) << 2;
  const n = load<i32>(shape + last);
  const stepA = load<i32>(sa + last);
  const stepB = load<i32>(sb + last);
  while (true) {
    let x = a;
    let y = b;
    let i = n;
    if (stepA <= 1 && stepB <= 1) {
      const strideA = (stepA as usize) << 4;
      const strideB = (stepB as usize) << 4;
      if (stepA == 1 && stepB == 1) {
        for (; i >= 4; i -= 4) {
          v128.store(out, apply(op, v128.load(x), v128.load(y)));
          x += strideA;
          y += strideB;
          out += 16;
        }
      } else if (stepA == 1) {
        const same = v128.load32_splat(y);
        for (; i >= 4; i -= 4) {
          v128.store(out, apply(op, v128.load(x), same));
          x += strideA;
          out += 16;
        }
      } else {
        const same = v128.load32_splat(x);
        for (; i >= 4; i -= 4) {
          v128.store(out, apply(op, same, stepB == 1 ? v128.load(y) : v128.load32_splat(y)));
          y += strideB;
          out += 16;
        }
      }
    }
    for (; i > 0; i--) {
      v128.store_lane<f32>(out, apply(op, v128.load32_zero(x), v128.load32_zero(y)), 0);
      x += stepA << 2;
      y += stepB << 2;
      out += 4;
    }
    let axis = rank - 2;
    for (; axis >= 0; axis--) {
      const at = (axis as usize) << 2;
      const next = load<i32>(index + at) + 1;
      a += load<i32>(sa + at) << 2;
      b += load<i32>(sb + at) << 2;
      if (next < load<i32>(shape + at)) {
        store<i32>(index + at, next);
        break;
      }
      a -= (load<i32>(sa + at) * next) << 2;
      b -= (load<i32>(sb + at) * next) << 2;
      store<i32>(index + at, 0);
    }
    if (axis < 0) return;
  }
}

/**
 * out = op(a, b) with broadcasting. `meta` holds, as int32, the shape of out and the strides of a and b in elements
 * (0 where repeated), then room for `rank` more. Out is dense; it may be a (or b) where that has the same strides.
 */
export function binary(op: i32, a: usize, b: usize, out: usize, rank: i32, meta: usize): void {
  switch (op) {
    case 0:
      return run(0, a, b, out, rank, meta);
    case 1:
      return run(1, a, b, out, rank, meta);
    case 2:
      return run(2, a, b, out, rank, meta);
    case 3:
      return run(3, a, b, out, rank, meta);
    case 4:
      return run(4, a, b, out, rank, meta);
    case 5:
      return run(5, a, b, out, rank, meta);
    case 6:
      return run(6, a, b, out, rank, meta);
    case 7:
      return run(7, a, b, out, rank, meta);
    case 8:
      return run(8, a, b, out, rank, meta);
    case 9:
      return run(9, a, b, out, rank, meta);
    case 10:
      return run(10, a, b, out, rank, meta);
    case 11:
      return run(11, a, b, out, rank, meta);
    case 12:
      return run(12, a, b, out, rank, meta);
    case 13:
      return run(13, a, b, out, rank, meta);
    case 14:
      return run(14, a, b, out, rank, meta);
    case 15:
      return run(15, a, b, out, rank, meta);
    case 16:
      return run(16, a, b, out, rank, meta);
    case 17:
      return run(17, a, b, out, rank, meta);
    case 18:
      return run(18, a, b, out, rank, meta);
    case 19:
      return run(19, a, b, out, rank, meta);
    default:
      return run(20, a, b, out, rank, meta);
  }
}

/** out = condition ? a : b over dense arrays of `n`; a or b may be one number (step 0). */
export function select(condition: usize, a: usize, b: usize, out: usize, n: i32, stepA: i32, stepB: i32): void {
  for (let i = n; i > 0; i--) {
    store<i32>(out, load<i32>(condition) != 0 ? load<i32>(a) : load<i32>(b));
    condition += 4;
    a += stepA << 2;
    b += stepB << 2;
    out += 4;
  }
}
