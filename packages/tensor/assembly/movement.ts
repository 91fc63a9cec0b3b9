/**
 * Copies an array of 32-bit elements between two strided places. `meta` holds, as int32, the shape, the strides of
 * the source and of the target in elements (any sign, 0 repeats), then room for `rank` more.
 */
export function copy(src: usize, dst: usize, rank: i32, meta: usize): void {
  const shape = meta;
  const ss = meta + (rank << 2);
  const ds = ss + (rank << 2);
  const index = ds + (rank << 2);
  memory.fill(index, 0, (rank as usize) << 2);
  const last = ((rank - 1) as usize) << 2;
  const n = load<i32>(shape + last);
  const stepS = load<i32>(ss + last) << 2;
  const stepD = load<i32>(ds + last) << 2;
  const dense = stepS == 4 && stepD == 4;
  const constant = stepS == 0 && stepD == 4;
  // Two axes that change places: blocks of four by four.
  const before = last - 4;
  const crossed = rank >= 2 && stepD == 4 && load<i32>(ss + before) == 1 && load<i32>(shape + before) >= 4 && n >= 4;
  const outer = crossed ? rank - 2 : rank - 1;
  while (true) {
    if (crossed) cross(src, dst, load<i32>(shape + before), n, stepS, load<i32>(ds + before) << 2);
    else if (dense) {
      if (n >= 16) memory.copy(dst, src, (n as usize) << 2);
      else for (let i = 0; i < n; i++) store<i32>(dst + (i << 2), load<i32>(src + (i << 2)));
    } else if (constant) {
      const v = load<i32>(src);
      for (let i = 0; i < n; i++) store<i32>(dst + (i << 2), v);
    } else {
      let s = src;
      let d = dst;
      for (let i = 0; i < n; i++) {
        store<i32>(d, load<i32>(s));
        s += stepS;
        d += stepD;
      }
    }
    let axis = outer - 1;
    for (; axis >= 0; axis--) {
      const at = (axis as usize) << 2;
      const next = load<i32>(index + at) + 1;
      src += load<i32>(ss + at) << 2;
      dst += load<i32>(ds + at) << 2;
      if (next < load<i32>(shape + at)) {
        store<i32>(index + at, next);
        break;
      }
      src -= (load<i32>(ss + at) * next) << 2;
      dst -= (load<i32>(ds + at) * next) << 2;
      store<i32>(index + at, 0);
    }
    if (axis < 0) return;
  }
}

/** dst[r, q] = src[r + q * step]: rows of the target are dense, columns of the source are. */
function cross(src: usize, dst: usize, rows: i32, columns: i32, stepS: i32, rowD: i32): void {
  let r = 0;
  for (; r + 4 <= rows; r += 4) {
    let s = src + (r << 2);
    let d = dst + r * rowD;
    let q = 0;
    for (; q + 4 <= columns; q += 4) {
      const a = v128.load(s);
      const b = v128.load(s + stepS);
      const c = v128.load(s + 2 * stepS);
      const e = v128.load(s + 3 * stepS);
      const ab0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
      const ab1 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
      const ce0 = v128.shuffle<i32>(c, e, 0, 4, 1, 5);
      const ce1 = v128.shuffle<i32>(c, e, 2, 6, 3, 7);
      v128.store(d, v128.shuffle<i64>(ab0, ce0, 0, 2));
      v128.store(d + rowD, v128.shuffle<i64>(ab0, ce0, 1, 3));
      v128.store(d + 2 * rowD, v128.shuffle<i64>(ab1, ce1, 0, 2));
      v128.store(d + 3 * rowD, v128.shuffle<i64>(ab1, ce1, 1, 3));
      s += 4 * stepS;
      d += 16;
    }
    for (; q < columns; q++) {
      for (let i = 0; i < 4; i++) store<i32>(d + i * rowD, load<i32>(s + (i << 2)));
      s += stepS;
      d += 4;
    }
  }
  for (; r < rows; r++) {
    let s = src + (r << 2);
    let d = dst + r * rowD;
    for (let q = 0; q < columns; q++) {
      store<i32>(d, load<i32>(s));
      s += stepS;
      d += 4;
    }
  }
}

/** Fills `n` 32-bit elements with one bit pattern. */
export function fill(dst: usize, n: i32, bits: i32): void {
  const v = i32x4.splat(bits);
  for (; n >= 4; n -= 4) {
    v128.store(dst, v);
    dst += 16;
  }
  for (; n > 0; n--) {
    store<i32>(dst, bits);
    dst += 4;
  }
}

/**
 * Rows of `inner` elements picked along one axis: out[o, i] = x[o, index[i]], negative indices from the end.
 * Returns 0, or 1 when an index is outside.
 */
export function gather(x: usize, index: usize, out: usize, outer: i32, length: i32, count: i32, inner: i32): i32 {
  const row = (inner as usize) << 2;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < count; i++) {
      let at = load<i32>(index + (i << 2));
      if (at < 0) at += length;
      if (at < 0 || at >= length) return 1;
      const s = x + at * row;
      if (inner == 1) store<i32>(out, load<i32>(s));
      else memory.copy(out, s, row);
      out += row;
    }
    x += length * row;
  }
  return 0;
}

// @ts-ignore: decorator
@inline
function combine(mode: i32, old: f32, value: f32): f32 {
  if (mode == 1) return old + value;
  if (mode == 2) return old * value;
  if (mode == 3) return max(old, value);
  return min(old, value);
}

/**
 * Moves single elements along one axis, for index arrays laid out [outer, count, inner] beside data laid out
 * [outer, length, inner]. mode -1 gathers into `values`; 0 scatters values into `data`; 1 adds, 2 multiplies,
 * 3 and 4 keep the larger or smaller. The outer and inner counts of both sides are equal. Returns 1 outside.
 */
export function elementsAlong(mode: i32, data: usize, index: usize, values: usize, outer: i32, length: i32, count: i32, inner: i32): i32 {
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < inner; j++) {
        let at = load<i32>(index);
        if (at < 0) at += length;
        if (at < 0 || at >= length) return 1;
        const place = data + (((o * length + at) * inner + j) << 2);
        if (mode == -1) store<i32>(values, load<i32>(place));
        else if (mode == 0) store<i32>(place, load<i32>(values));
        else store<f32>(place, combine(mode, load<f32>(place), load<f32>(values)));
        index += 4;
        values += 4;
      }
    }
  }
  return 0;
}

/** Rows of `inner` elements at flat positions: mode -1 gathers, 0 sets, 1 adds, 2 multiplies, 3 max, 4 min. */
export function rowsAt(mode: i32, data: usize, positions: usize, values: usize, count: i32, inner: i32): void {
  const row = (inner as usize) << 2;
  for (let i = 0; i < count; i++) {
    const place = data + ((load<i32>(positions + (i << 2)) * inner) << 2);
    if (mode == -1) memory.copy(values, place, row);
    else if (mode == 0) memory.copy(place, values, row);
    else {
      for (let j: usize = 0; j < row; j += 4) {
        store<f32>(place + j, combine(mode, load<f32>(place + j), load<f32>(values + j)));
      }
    }
    values += row;
  }
}

/** Running sums over [outer, length, inner]; exclusive leaves the own element out, reverse runs from the end. */
export function runningSum(x: usize, out: usize, outer: i32, length: i32, inner: i32, exclusive: i32, reverse: i32): void {
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < inner; j++) {
      let sum: f64 = 0;
      for (let i = 0; i < length; i++) {
        const at = (((o * length + (reverse ? length - 1 - i : i)) * inner + j) as usize) << 2;
        const value = load<f32>(x + at);
        if (exclusive) store<f32>(out + at, sum as f32);
        sum += value;
        if (!exclusive) store<f32>(out + at, sum as f32);
      }
    }
  }
}

/**
 * Weighted picks along one axis: out[o, i, :] = sum over t of weights[i, t] * x[o, index[i, t], :]. Resizing of every
 * kind is this, one axis after the other.
 */
export function resample(x: usize, out: usize, index: usize, weights: usize, outer: i32, length: i32, count: i32, inner: i32, taps: i32): void {
  const row = (inner as usize) << 2;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < count; i++) {
      for (let t = 0; t < taps; t++) {
        const s = x + load<i32>(index + ((i * taps + t) << 2)) * row;
        const w = load<f32>(weights + ((i * taps + t) << 2));
        if (taps == 1 && w == 1) {
          memory.copy(out, s, row);
          continue;
        }
        const w4 = f32x4.splat(w);
        let j: usize = 0;
        for (; j + 16 <= row; j += 16) {
          const part = f32x4.mul(v128.load(s + j), w4);
          v128.store(out + j, t == 0 ? part : f32x4.add(v128.load(out + j), part));
        }
        for (; j < row; j += 4) {
          const part = load<f32>(s + j) * w;
          store<f32>(out + j, t == 0 ? part : load<f32>(out + j) + part);
        }
      }
      out += row;
    }
    x += length * row;
  }
}
