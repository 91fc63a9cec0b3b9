// Convolutions over images [n, h, w, c] whose borders are part of the memory, so that no tap needs a check.

/**
 * Copies images [n, h, w, c] into the middle of larger ones [n, hp, wp, c] that begin as zeros, `spreadH` and
 * `spreadW` pixels apart (1: side by side).
 */
export function frame(
  src: usize,
  dst: usize,
  n: i32,
  h: i32,
  w: i32,
  c: i32,
  hp: i32,
  wp: i32,
  top: i32,
  left: i32,
  spreadH: i32,
  spreadW: i32,
): void {
  memory.fill(dst, 0, ((n * hp * wp) as usize) * ((c as usize) << 2));
  const pixel = (c as usize) << 2;
  for (let image = 0; image < n; image++) {
    for (let y = 0; y < h; y++) {
      const row = top + y * spreadH;
      if (row < 0 || row >= hp) continue;
      // Negative borders crop: only columns that land inside are copied.
      let from = 0;
      let to = w;
      while (from < w && left + from * spreadW < 0) from++;
      while (to > from && left + (to - 1) * spreadW >= wp) to--;
      let s = src + ((image * h + y) * w + from) * pixel;
      let d = dst + ((image * hp + row) * wp + left + from * spreadW) * pixel;
      if (spreadW == 1) {
        memory.copy(d, s, (to - from) * pixel);
        continue;
      }
      for (let x = from; x < to; x++) {
        memory.copy(d, s, pixel);
        s += pixel;
        d += spreadW * pixel;
      }
    }
  }
}

/**
 * y[n, i, j, k] = bias[k] + sum over taps and channels of x[n, i*sh + a*dh, j*sw + b*dw, g*cg + c] * w. The weights
 * are panels of eight output channels: [panel][kh][kw][cg][8], zeros beyond `kg`. Six pixels by eight channels are
 * held in registers. `x` is framed: [n, hp, wp, c].
 */
export function convolve(
  x: usize,
  w: usize,
  bias: usize,
  y: usize,
  n: i32,
  hp: i32,
  wp: i32,
  c: i32,
  ho: i32,
  wo: i32,
  k: i32,
  kh: i32,
  kw: i32,
  sh: i32,
  sw: i32,
  dh: i32,
  dw: i32,
  group: i32,
): void {
  const cg = c / group;
  const kg = k / group;
  const panels = (kg + 7) / 8;
  // Neighbouring taps of a row are neighbours in memory too, when nothing lies between them.
  const joined = dw == 1 && group == 1;
  const runs = joined ? 1 : kw;
  const run = joined ? kw * cg : cg;
  const pixels = ho * wo;
  const rowBytes = ((wp * c) as usize) << 2;
  const stepBytes = ((sw * c) as usize) << 2;
  const panelBytes = ((kh * kw * cg) as usize) << 5;
  for (let image = 0; image < n; image++) {
    const base = x + image * hp * rowBytes;
    const target = y + (((image * pixels * k) as usize) << 2);
    for (let first = 0; first < pixels; first += 6) {
      const valid = min(6, pixels - first);
      const at0 = corner(first, 0, valid, wo, base, sh * rowBytes, stepBytes);
      const at1 = corner(first, 1, valid, wo, base, sh * rowBytes, stepBytes);
      const at2 = corner(first, 2, valid, wo, base, sh * rowBytes, stepBytes);
      const at3 = corner(first, 3, valid, wo, base, sh * rowBytes, stepBytes);
      const at4 = corner(first, 4, valid, wo, base, sh * rowBytes, stepBytes);
      const at5 = corner(first, 5, valid, wo, base, sh * rowBytes, stepBytes);
      for (let g = 0; g < group; g++) {
        for (let panel = 0; panel < panels; panel++) {
          const channel = g * kg + panel * 8;
          const lanes = min(8, kg - panel * 8);
          let b0 = f32x4.splat(0);
          let b1 = b0;
          if (bias != 0) {
            b0 = partial(bias + ((channel as usize) << 2), lanes);
            b1 = lanes > 4 ? partial(bias + ((channel as usize) << 2) + 16, lanes - 4) : b1;
          }
          let a00 = b0, a01 = b1, a10 = b0, a11 = b1, a20 = b0, a21 = b1;
          let a30 = b0, a31 = b1, a40 = b0, a41 = b1, a50 = b0, a51 = b1;
          let q = w + (g * panels + panel) * panelBytes;
          for (let i = 0; i < kh; i++) {
            for (let j = 0; j < runs; j++) {
              const shift = i * dh * rowBytes + ((j * dw * c + g * cg) << 2);
              let p0 = at0 + shift, p1 = at1 + shift, p2 = at2 + shift;
              let p3 = at3 + shift, p4 = at4 + shift, p5 = at5 + shift;
              let left = run;
              for (; left >= 2; left -= 2) {
                let w0 = v128.load(q), w1 = v128.load(q, 16);
                let s = v128.load32_splat(p0);
                a00 = f32x4.add(a00, f32x4.mul(s, w0)); a01 = f32x4.add(a01, f32x4.mul(s, w1));
                s = v128.load32_splat(p1);
                a10 = f32x4.add(a10, f32x4.mul(s, w0)); a11 = f32x4.add(a11, f32x4.mul(s, w1));
                s = v128.load32_splat(p2);
                a20 = f32x4.add(a20, f32x4.mul(s, w0)); a21 = f32x4.add(a21, f32x4.mul(s, w1));
                s = v128.load32_splat(p3);
                a30 = f32x4.add(a30, f32x4.mul(s, w0)); a31 = f32x4.add(a31, f32x4.mul(s, w1));
                s = v128.load32_splat(p4);
                a40 = f32x4.add(a40, f32x4.mul(s, w0)); a41 = f32x4.add(a41, f32x4.mul(s, w1));
                s = v128.load32_splat(p5);
                a50 = f32x4.add(a50, f32x4.mul(s, w0)); a51 = f32x4.add(a51, f32x4.mul(s, w1));
                w0 = v128.load(q, 32); w1 = v128.load(q, 48);
                s = v128.load32_splat(p0, 4);
                a00 = f32x4.add(a00, f32x4.mul(s, w0)); a01 = f32x4.add(a01, f32x4.mul(s, w1));
                s = v128.load32_splat(p1, 4);
                a10 = f32x4.add(a10, f32x4.mul(s, w0)); a11 = f32x4.add(a11, f32x4.mul(s, w1));
                s = v128.load32_splat(p2, 4);
                a20 = f32x4.add(a20, f32x4.mul(s, w0)); a21 = f32x4.add(a21, f32x4.mul(s, w1));
                s = v128.load32_splat(p3, 4);
                a30 = f32x4.add(a30, f32x4.mul(s, w0)); a31 = f32x4.add(a31, f32x4.mul(s, w1));
                s = v128.load32_splat(p4, 4);
                a40 = f32x4.add(a40, f32x4.mul(s, w0)); a41 = f32x4.add(a41, f32x4.mul(s, w1));
                s = v128.load32_splat(p5, 4);
                a50 = f32x4.add(a50, f32x4.mul(s, w0)); a51 = f32x4.add(a51, f32x4.mul(s, w1));
                q += 64; p0 += 8; p1 += 8; p2 += 8; p3 += 8; p4 += 8; p5 += 8;
              }
              if (left > 0) {
                const w0 = v128.load(q), w1 = v128.load(q, 16);
                let s = v128.load32_splat(p0);
                a00 = f32x4.add(a00, f32x4.mul(s, w0)); a01 = f32x4.add(a01, f32x4.mul(s, w1));
                s = v128.load32_splat(p1);
                a10 = f32x4.add(a10, f32x4.mul(s, w0)); a11 = f32x4.add(a11, f32x4.mul(s, w1));
                s = v128.load32_splat(p2);
                a20 = f32x4.add(a20, f32x4.mul(s, w0)); a21 = f32x4.add(a21, f32x4.mul(s, w1));
                s = v128.load32_splat(p3);
                a30 = f32x4.add(a30, f32x4.mul(s, w0)); a31 = f32x4.add(a31, f32x4.mul(s, w1));
                s = v128.load32_splat(p4);
                a40 = f32x4.add(a40, f32x4.mul(s, w0)); a41 = f32x4.add(a41, f32x4.mul(s, w1));
                s = v128.load32_splat(p5);
                a50 = f32x4.add(a50, f32x4.mul(s, w0)); a51 = f32x4.add(a51, f32x4.mul(s, w1));
                q += 32;
              }
            }
          }
          const out = target + ((first * k + channel) << 2);
          const next = (k as usize) << 2;
          put(out, a00, a01, lanes);
          if (valid > 1) put(out + next, a10, a11, lanes);
          if (valid > 2) put(out + 2 * next, a20, a21, lanes);
          if (valid > 3) put(out + 3 * next, a30, a31, lanes);
          if (valid > 4) put(out + 4 * next, a40, a41, lanes);
          if (valid > 5) put(out + 5 * next, a50, a51, lanes);
        }
      }
    }
  }
}

/** Where the window of pixel `first + i` begins; pixels beyond the end repeat the last one. */
// @ts-ignore: decorator
@inline
function corner(first: i32, i: i32, valid: i32, wo: i32, base: usize, rowStep: usize, pixelStep: usize): usize {
  const pixel = first + min(i, valid - 1);
  const row = pixel / wo;
  return base + row * rowStep + (pixel - row * wo) * pixelStep;
}

/** Up to four floats, zeros beyond `lanes`. */
function partial(at: usize, lanes: i32): v128 {
  if (lanes >= 4) return v128.load(at);
  let v = v128.load32_zero(at);
  if (lanes > 1) v = v128.load_lane<f32>(at + 4, v, 1);
  if (lanes > 2) v = v128.load_lane<f32>(at + 8, v, 2);
  return v;
}

/** Stores the first `lanes` of eight floats. */
// @ts-ignore: decorator
@inline
function put(at: usize, a: v128, b: v128, lanes: i32): void {
  if (lanes == 8) {
    v128.store(at, a);
    v128.store(at, b, 16);
  } else putSome(at, a, b, lanes);
}

function putSome(at: usize, a: v128, b: v128, lanes: i32): void {
  if (lanes >= 4) {
    v128.store(at, a);
    a = b;
    at += 16;
    lanes -= 4;
  }
  if (lanes > 0) v128.store_lane<f32>(at, a, 0);
  if (lanes > 1) v128.store_lane<f32>(at + 4, a, 1);
  if (lanes > 2) v128.store_lane<f32>(at + 8, a, 2);
}

/**
 * dw[kh][kw][c][k] = sum over images and pixels of x[n, i*sh + a*dh, j*sw + b*dw, c] * dy[n, i, j, k], groups apart
 * (c counts within the group, k over all). One image after the other, so that both stay in the cache; six rows of
 * (tap, channel) by eight output channels are held in registers. `x` is framed.
 */
export function convolutionWeightGradient(
  x: usize,
  dy: usize,
  dw: usize,
  n: i32,
  hp: i32,
  wp: i32,
  c: i32,
  ho: i32,
  wo: i32,
  k: i32,
  kh: i32,
  kw: i32,
  sh: i32,
  sw: i32,
  dh: i32,
  dilationW: i32,
  group: i32,
): void {
  const cg = c / group;
  const kg = k / group;
  memory.fill(dw, 0, ((kh * kw * cg * k) as usize) << 2);
  const joined = dilationW == 1 && group == 1;
  const runs = joined ? 1 : kw;
  const run = joined ? kw * cg : cg;
  const rowBytes = ((wp * c) as usize) << 2;
  const xStep = ((sw * c) as usize) << 2;
  const dyStep = (k as usize) << 2;
  for (let image = 0; image < n; image++) {
    const xBase = x + image * hp * rowBytes;
    const dyBase = dy + image * ho * wo * dyStep;
    for (let i = 0; i < kh; i++) {
      for (let j = 0; j < runs; j++) {
        for (let g = 0; g < group; g++) {
          const origin = xBase + i * dh * rowBytes + ((j * dilationW * c + g * cg) << 2);
          for (let r = 0; r < run; r += 6) {
            const rows = min(6, run - r);
            for (let m = 0; m < kg; m += 8) {
              const lanes = min(8, kg - m);
              const target = dw + ((((i * kw + j) * cg + r) * k + g * kg + m) << 2);
              if (lanes == 8) {
                tileGradient(origin + (r << 2), dyBase + ((g * kg + m) << 2), target, ho, wo, rows, sh * rowBytes, xStep, dyStep);
              } else {
                thinGradient(origin + (r << 2), dyBase + ((g * kg + m) << 2), target, ho, wo, rows, lanes, sh * rowBytes, xStep, dyStep);
              }
            }
          }
        }
      }
    }
  }
}

function tileGradient(x: usize, dy: usize, target: usize, ho: i32, wo: i32, rows: i32, xRow: usize, xStep: usize, dyStep: usize): void {
  // Rows beyond the last repeat it and are thrown away.
  const o1 = (min(1, rows - 1) << 2) as usize, o2 = (min(2, rows - 1) << 2) as usize, o3 = (min(3, rows - 1) << 2) as usize;
  const o4 = (min(4, rows - 1) << 2) as usize, o5 = (min(5, rows - 1) << 2) as usize;
  let a00 = f32x4.splat(0), a01 = a00, a10 = a00, a11 = a00, a20 = a00, a21 = a00;
  let a30 = a00, a31 = a00, a40 = a00, a41 = a00, a50 = a00, a51 = a00;
  let q = dy;
  for (let i = 0; i < ho; i++) {
    let p = x + i * xRow;
    if (rows == 6) {
      for (let j = 0; j < wo; j++) {
        const d0 = v128.load(q), d1 = v128.load(q, 16);
        let s = v128.load32_splat(p);
        a00 = f32x4.add(a00, f32x4.mul(s, d0)); a01 = f32x4.add(a01, f32x4.mul(s, d1));
        s = v128.load32_splat(p, 4);
        a10 = f32x4.add(a10, f32x4.mul(s, d0)); a11 = f32x4.add(a11, f32x4.mul(s, d1));
        s = v128.load32_splat(p, 8);
        a20 = f32x4.add(a20, f32x4.mul(s, d0)); a21 = f32x4.add(a21, f32x4.mul(s, d1));
        s = v128.load32_splat(p, 12);
        a30 = f32x4.add(a30, f32x4.mul(s, d0)); a31 = f32x4.add(a31, f32x4.mul(s, d1));
        s = v128.load32_splat(p, 16);
        a40 = f32x4.add(a40, f32x4.mul(s, d0)); a41 = f32x4.add(a41, f32x4.mul(s, d1));
        s = v128.load32_splat(p, 20);
        a50 = f32x4.add(a50, f32x4.mul(s, d0)); a51 = f32x4.add(a51, f32x4.mul(s, d1));
        q += dyStep;
        p += xStep;
      }
    } else {
      for (let j = 0; j < wo; j++) {
        const d0 = v128.load(q), d1 = v128.load(q, 16);
        let s = v128.load32_splat(p);
        a00 = f32x4.add(a00, f32x4.mul(s, d0)); a01 = f32x4.add(a01, f32x4.mul(s, d1));
        s = v128.load32_splat(p + o1);
        a10 = f32x4.add(a10, f32x4.mul(s, d0)); a11 = f32x4.add(a11, f32x4.mul(s, d1));
        s = v128.load32_splat(p + o2);
        a20 = f32x4.add(a20, f32x4.mul(s, d0)); a21 = f32x4.add(a21, f32x4.mul(s, d1));
        s = v128.load32_splat(p + o3);
        a30 = f32x4.add(a30, f32x4.mul(s, d0)); a31 = f32x4.add(a31, f32x4.mul(s, d1));
        s = v128.load32_splat(p + o4);
        a40 = f32x4.add(a40, f32x4.mul(s, d0)); a41 = f32x4.add(a41, f32x4.mul(s, d1));
        s = v128.load32_splat(p + o5);
        a50 = f32x4.add(a50, f32x4.mul(s, d0)); a51 = f32x4.add(a51, f32x4.mul(s, d1));
        q += dyStep;
        p += xStep;
      }
    }
  }
  accumulate(target, a00, a01);
  if (rows > 1) accumulate(target + dyStep, a10, a11);
  if (rows > 2) accumulate(target + 2 * dyStep, a20, a21);
  if (rows > 3) accumulate(target + 3 * dyStep, a30, a31);
  if (rows > 4) accumulate(target + 4 * dyStep, a40, a41);
  if (rows > 5) accumulate(target + 5 * dyStep, a50, a51);
}

// @ts-ignore: decorator
@inline
function accumulate(at: usize, a: v128, b: v128): void {
  v128.store(at, f32x4.add(v128.load(at), a));
  v128.store(at, f32x4.add(v128.load(at, 16), b), 16);
}

/** The same for fewer than eight output channels: no load and no store goes beyond them. */
function thinGradient(x: usize, dy: usize, target: usize, ho: i32, wo: i32, rows: i32, lanes: i32, xRow: usize, xStep: usize, dyStep: usize): void {
  const o1 = (min(1, rows - 1) << 2) as usize, o2 = (min(2, rows - 1) << 2) as usize, o3 = (min(3, rows - 1) << 2) as usize;
  const o4 = (min(4, rows - 1) << 2) as usize, o5 = (min(5, rows - 1) << 2) as usize;
  const zero = f32x4.splat(0);
  let a00 = zero, a01 = zero, a10 = zero, a11 = zero, a20 = zero, a21 = zero;
  let a30 = zero, a31 = zero, a40 = zero, a41 = zero, a50 = zero, a51 = zero;
  let q = dy;
  for (let i = 0; i < ho; i++) {
    let p = x + i * xRow;
    for (let j = 0; j < wo; j++) {
      const d0 = partial(q, lanes), d1 = lanes > 4 ? partial(q + 16, lanes - 4) : zero;
      let s = v128.load32_splat(p);
      a00 = f32x4.add(a00, f32x4.mul(s, d0)); a01 = f32x4.add(a01, f32x4.mul(s, d1));
      s = v128.load32_splat(p + o1);
      a10 = f32x4.add(a10, f32x4.mul(s, d0)); a11 = f32x4.add(a11, f32x4.mul(s, d1));
      s = v128.load32_splat(p + o2);
      a20 = f32x4.add(a20, f32x4.mul(s, d0)); a21 = f32x4.add(a21, f32x4.mul(s, d1));
      s = v128.load32_splat(p + o3);
      a30 = f32x4.add(a30, f32x4.mul(s, d0)); a31 = f32x4.add(a31, f32x4.mul(s, d1));
      s = v128.load32_splat(p + o4);
      a40 = f32x4.add(a40, f32x4.mul(s, d0)); a41 = f32x4.add(a41, f32x4.mul(s, d1));
      s = v128.load32_splat(p + o5);
      a50 = f32x4.add(a50, f32x4.mul(s, d0)); a51 = f32x4.add(a51, f32x4.mul(s, d1));
      q += dyStep;
      p += xStep;
    }
  }
  accumulateSome(target, a00, a01, lanes);
  if (rows > 1) accumulateSome(target + dyStep, a10, a11, lanes);
  if (rows > 2) accumulateSome(target + 2 * dyStep, a20, a21, lanes);
  if (rows > 3) accumulateSome(target + 3 * dyStep, a30, a31, lanes);
  if (rows > 4) accumulateSome(target + 4 * dyStep, a40, a41, lanes);
  if (rows > 5) accumulateSome(target + 5 * dyStep, a50, a51, lanes);
}

function accumulateSome(at: usize, a: v128, b: v128, lanes: i32): void {
  if (lanes > 4) b = f32x4.add(partial(at + 16, lanes - 4), b);
  putSome(at, f32x4.add(partial(at, lanes), a), b, lanes);
}
