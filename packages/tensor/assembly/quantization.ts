// Quantizers over [outer, channels, inner]: one scale and zero point per channel (channels 1: one for all).

// @ts-ignore: decorator
@inline
function code(x: v128, s: v128, z: v128, low: v128, high: v128): v128 {
  return f32x4.pmin(f32x4.pmax(f32x4.add(f32x4.nearest(f32x4.div(x, s)), z), low), high);
}

// op 0: fake-quantize; 1: to integers; 2: from integers.
// @ts-ignore: decorator
@inline
function apply(op: i32, x: v128, s: v128, z: v128, low: v128, high: v128): v128 {
  if (op == 0) return f32x4.mul(f32x4.sub(code(x, s, z, low, high), z), s);
  if (op == 1) return i32x4.trunc_sat_f32x4_s(code(x, s, z, low, high));
  return f32x4.mul(f32x4.sub(f32x4.convert_i32x4_s(x), z), s);
}

// @ts-ignore: decorator
@inline
function run(op: i32, x: usize, out: usize, scale: usize, zero: usize, outer: i32, channels: i32, inner: i32, low: f32, high: f32): void {
  const lo = f32x4.splat(low);
  const hi = f32x4.splat(high);
  for (let o = 0; o < outer; o++) {
    if (inner == 1) {
      let c: usize = 0;
      const end = (channels as usize) << 2;
      for (; c + 16 <= end; c += 16) v128.store(out + c, apply(op, v128.load(x + c), v128.load(scale + c), v128.load(zero + c), lo, hi));
      for (; c < end; c += 4) v128.store_lane<f32>(out + c, apply(op, v128.load32_splat(x + c), v128.load32_splat(scale + c), v128.load32_splat(zero + c), lo, hi), 0);
      x += end;
      out += end;
      continue;
    }
    for (let c = 0; c < channels; c++) {
      const s = v128.load32_splat(scale + (c << 2));
      const z = v128.load32_splat(zero + (c << 2));
      let i = inner;
      for (; i >= 4; i -= 4) {
        v128.store(out, apply(op, v128.load(x), s, z, lo, hi));
        x += 16;
        out += 16;
      }
      for (; i > 0; i--) {
        v128.store_lane<f32>(out, apply(op, v128.load32_splat(x), s, z, lo, hi), 0);
        x += 4;
        out += 4;
      }
    }
  }
}

/** op 0 puts x on the lattice, 1 gives its integers, 2 gives the numbers of integers. Ties round to even. */
export function quantize(op: i32, x: usize, out: usize, scale: usize, zero: usize, outer: i32, channels: i32, inner: i32, low: f32, high: f32): void {
  if (op == 0) run(0, x, out, scale, zero, outer, channels, inner, low, high);
  else if (op == 1) run(1, x, out, scale, zero, outer, channels, inner, low, high);
  else run(2, x, out, scale, zero, outer, channels, inner, low, high);
}

/**
 * Gradients of fake-quantization by the straight-through estimator. With v = x / s and c = clip(v, low - z, high - z):
 * dx is dy where c = v and 0 elsewhere; ds sums dy (round(v) - v) there and dy c elsewhere, as one double per channel.
 * Where v is NaN, so is dx.
 */
export function quantizeGradient(x: usize, dy: usize, dx: usize, scale: usize, zero: usize, dscale: usize, outer: i32, channels: i32, inner: i32, low: f32, high: f32): void {
  memory.fill(dscale, 0, (channels as usize) << 3);
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      const s = v128.load32_splat(scale + (c << 2));
      const z = v128.load32_splat(zero + (c << 2));
      const lo = f32x4.sub(f32x4.splat(low), z);
      const hi = f32x4.sub(f32x4.splat(high), z);
      let total: f64 = 0;
      let i = inner;
      while (i > 0) {
        let some = min(i, 512);
        i -= some;
        let sum = f32x4.splat(0);
        for (; some > 0; some -= 4) {
          const wide = some >= 4;
          const v = f32x4.div(wide ? v128.load(x) : v128.load32_zero(x), s);
          const d = wide ? v128.load(dy) : v128.load32_zero(dy);
          const clipped = f32x4.pmin(f32x4.pmax(v, lo), hi);
          const inside = f32x4.eq(clipped, v);
          sum = f32x4.add(sum, f32x4.mul(d, f32x4.sub(f32x4.nearest(clipped), v128.and(v, inside))));
          const part = v128.bitselect(v128.and(d, inside), v, f32x4.eq(v, v));
          if (wide) {
            v128.store(dx, part);
            x += 16;
            dy += 16;
            dx += 16;
          } else {
            v128.store_lane<f32>(dx, part, 0);
            x += 4;
            dy += 4;
            dx += 4;
            some += 3; // one element instead of four
          }
        }
        total += (f32x4.extract_lane(sum, 0) as f64) + f32x4.extract_lane(sum, 1) + f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3);
      }
      store<f64>(dscale + (c << 3), load<f64>(dscale + (c << 3)) + total);
    }
  }
}
