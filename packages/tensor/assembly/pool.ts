// Pooling over images [n, h, w, c]; taps outside the image are left out.

/** Largest value of each window; NaN wins. */
export function maxPool(
  x: usize,
  y: usize,
  n: i32,
  h: i32,
  w: i32,
  c: i32,
  ho: i32,
  wo: i32,
  kh: i32,
  kw: i32,
  sh: i32,
  sw: i32,
  dh: i32,
  dw: i32,
  top: i32,
  left: i32,
): void {
  const pixel = (c as usize) << 2;
  for (let image = 0; image < n; image++) {
    for (let i = 0; i < ho; i++) {
      for (let j = 0; j < wo; j++) {
        let channel: usize = 0;
        for (; channel < pixel; channel += 16) {
          const wide = channel + 16 <= pixel;
          const stop = wide ? channel + 4 : pixel;
          for (let l = channel; l < stop; l += 4) {
            let found = f32x4.splat(-Infinity);
            for (let a = 0; a < kh; a++) {
              const row = i * sh - top + a * dh;
              if (row < 0 || row >= h) continue;
              for (let b = 0; b < kw; b++) {
                const column = j * sw - left + b * dw;
                if (column < 0 || column >= w) continue;
                const at = x + ((image * h + row) * w + column) * pixel + l;
                found = f32x4.max(found, wide ? v128.load(at) : v128.load32_splat(at));
              }
            }
            if (wide) v128.store(y + l, found);
            else v128.store_lane<f32>(y + l, found, 0);
          }
        }
        y += pixel;
      }
    }
  }
}

/** Each dy goes to the first position of its window, row by row, that holds the maximum. dx begins as zeros. */
export function maxPoolGradient(
  x: usize,
  y: usize,
  dy: usize,
  dx: usize,
  n: i32,
  h: i32,
  w: i32,
  c: i32,
  ho: i32,
  wo: i32,
  kh: i32,
  kw: i32,
  sh: i32,
  sw: i32,
  dh: i32,
  dw: i32,
  top: i32,
  left: i32,
): void {
  const pixel = (c as usize) << 2;
  memory.fill(dx, 0, ((n * h * w) as usize) * pixel);
  for (let image = 0; image < n; image++) {
    for (let i = 0; i < ho; i++) {
      for (let j = 0; j < wo; j++) {
        let channel: usize = 0;
        for (; channel < pixel; channel += 16) {
          const wide = channel + 16 <= pixel;
          const stop = wide ? channel + 4 : pixel;
          for (let l = channel; l < stop; l += 4) {
            const top4 = wide ? v128.load(y + l) : v128.load32_zero(y + l);
            const given = wide ? v128.load(dy + l) : v128.load32_zero(dy + l);
            let open = i32x4.splat(-1);
            for (let a = 0; a < kh; a++) {
              const row = i * sh - top + a * dh;
              if (row < 0 || row >= h) continue;
              for (let b = 0; b < kw; b++) {
                const column = j * sw - left + b * dw;
                if (column < 0 || column >= w) continue;
                const offset = ((image * h + row) * w + column) * pixel + l;
                const value = wide ? v128.load(x + offset) : v128.load32_zero(x + offset);
                const hit = v128.and(f32x4.eq(value, top4), open);
                open = v128.andnot(open, hit);
                const part = v128.and(given, hit);
                if (wide) v128.store(dx + offset, f32x4.add(v128.load(dx + offset), part));
                else store<f32>(dx + offset, load<f32>(dx + offset) + f32x4.extract_lane(part, 0));
              }
            }
          }
        }
        y += pixel;
        dy += pixel;
      }
    }
  }
}

/**
 * Mean of each window: over the taps inside the image, or with `counted` over those inside the image and its
 * borders (`bottom`, `right` at the far sides).
 */
export function averagePool(
  x: usize,
  y: usize,
  n: i32,
  h: i32,
  w: i32,
  c: i32,
  ho: i32,
  wo: i32,
  kh: i32,
  kw: i32,
  sh: i32,
  sw: i32,
  dh: i32,
  dw: i32,
  top: i32,
  left: i32,
  bottom: i32,
  right: i32,
  counted: i32,
): void {
  const pixel = (c as usize) << 2;
  for (let image = 0; image < n; image++) {
    for (let i = 0; i < ho; i++) {
      for (let j = 0; j < wo; j++) {
        memory.fill(y, 0, pixel);
        let count = 0;
        for (let a = 0; a < kh; a++) {
          const row = i * sh - top + a * dh;
          for (let b = 0; b < kw; b++) {
            const column = j * sw - left + b * dw;
            if (counted && row < h + bottom && column < w + right) count++;
            if (row < 0 || row >= h || column < 0 || column >= w) continue;
            if (!counted) count++;
            const s = x + ((image * h + row) * w + column) * pixel;
            let l: usize = 0;
            for (; l + 16 <= pixel; l += 16) v128.store(y + l, f32x4.add(v128.load(y + l), v128.load(s + l)));
            for (; l < pixel; l += 4) store<f32>(y + l, load<f32>(y + l) + load<f32>(s + l));
          }
        }
        for (let l: usize = 0; l < pixel; l += 4) store<f32>(y + l, load<f32>(y + l) / (count as f32));
        y += pixel;
      }
    }
  }
}
