// Depthwise convolutions over framed images [n, hp, wp, c]: output channel k = channel * multiplier + m reads one
// input channel. Weights are [kh][kw][k].

/** y[n, i, j, k] = bias[k] + sum over taps of x[n, i*sh + a*dh, j*sw + b*dw, k / multiplier] w[a][b][k]. */
export function depthwise(
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
): void {
  const pixel = (c as usize) << 2;
  const out = (k as usize) << 2;
  const multiplier = k / c;
  const single = multiplier == 1;
  for (let image = 0; image < n; image++) {
    for (let i = 0; i < ho; i++) {
      for (let j = 0; j < wo; j++) {
        const corner = x + ((image * hp + i * sh) * wp + j * sw) * pixel;
        let l: usize = 0;
        if (single) {
          for (; l + 32 <= out; l += 32) {
            let s0 = bias == 0 ? f32x4.splat(0) : v128.load(bias + l);
            let s1 = bias == 0 ? f32x4.splat(0) : v128.load(bias + l, 16);
            let q = w + l;
            for (let a = 0; a < kh; a++) {
              let p = corner + a * dh * wp * pixel + l;
              for (let b = 0; b < kw; b++) {
                s0 = f32x4.add(s0, f32x4.mul(v128.load(p), v128.load(q)));
                s1 = f32x4.add(s1, f32x4.mul(v128.load(p, 16), v128.load(q, 16)));
                p += dw * pixel;
                q += out;
              }
            }
            v128.store(y + l, s0);
            v128.store(y + l, s1, 16);
          }
        }
        for (; l < out; l += 4) {
          let sum: f32 = bias == 0 ? 0 : load<f32>(bias + l);
          const channel = single ? l : ((((l >> 2) as i32) / multiplier) as usize) << 2;
          let q = w + l;
          for (let a = 0; a < kh; a++) {
            let p = corner + a * dh * wp * pixel + channel;
            for (let b = 0; b < kw; b++) {
              sum += load<f32>(p) * load<f32>(q);
              p += dw * pixel;
              q += out;
            }
          }
          store<f32>(y + l, sum);
        }
        y += out;
      }
    }
  }
}

/** dx of the framed image: each dy spread back over its window. `dx` is [n, hp, wp, c] and begins as zeros. */
export function depthwiseInputGradient(
  dy: usize,
  w: usize,
  dx: usize,
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
): void {
  const pixel = (c as usize) << 2;
  const out = (k as usize) << 2;
  const multiplier = k / c;
  const single = multiplier == 1;
  memory.fill(dx, 0, ((n * hp * wp) as usize) * pixel);
  for (let image = 0; image < n; image++) {
    for (let i = 0; i < ho; i++) {
      for (let j = 0; j < wo; j++) {
        const corner = dx + ((image * hp + i * sh) * wp + j * sw) * pixel;
        for (let a = 0; a < kh; a++) {
          for (let b = 0; b < kw; b++) {
            const p = corner + (a * dh * wp + b * dw) * pixel;
            const q = w + (a * kw + b) * out;
            let l: usize = 0;
            if (single) {
              for (; l + 16 <= out; l += 16) {
                v128.store(p + l, f32x4.add(v128.load(p + l), f32x4.mul(v128.load(dy + l), v128.load(q + l))));
              }
            }
            for (; l < out; l += 4) {
              const at = p + (single ? l : ((((l >> 2) as i32) / multiplier) as usize) << 2);
              store<f32>(at, load<f32>(at) + load<f32>(dy + l) * load<f32>(q + l));
            }
          }
        }
        dy += out;
      }
    }
  }
}

/** dw[a][b][k] = sum over images and pixels of x[.., k / multiplier] dy[.., k]. One image after the other. */
export function depthwiseWeightGradient(
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
): void {
  const pixel = (c as usize) << 2;
  const out = (k as usize) << 2;
  const multiplier = k / c;
  const single = multiplier == 1;
  memory.fill(dw, 0, ((kh * kw) as usize) * out);
  for (let image = 0; image < n; image++) {
    for (let a = 0; a < kh; a++) {
      for (let b = 0; b < kw; b++) {
        const target = dw + (a * kw + b) * out;
        let l: usize = 0;
        if (single) {
          for (; l + 16 <= out; l += 16) {
            let sum = f32x4.splat(0);
            let q = dy + image * ho * wo * out + l;
            for (let i = 0; i < ho; i++) {
              let p = x + ((image * hp + i * sh + a * dh) * wp + b * dilationW) * pixel + l;
              for (let j = 0; j < wo; j++) {
                sum = f32x4.add(sum, f32x4.mul(v128.load(p), v128.load(q)));
                p += sw * pixel;
                q += out;
              }
            }
            v128.store(target + l, f32x4.add(v128.load(target + l), sum));
          }
        }
        for (; l < out; l += 4) {
          let sum: f32 = 0;
          const channel = single ? l : ((((l >> 2) as i32) / multiplier) as usize) << 2;
          let q = dy + image * ho * wo * out + l;
          for (let i = 0; i < ho; i++) {
            let p = x + ((image * hp + i * sh + a * dh) * wp + b * dilationW) * pixel + channel;
            for (let j = 0; j < wo; j++) {
              sum += load<f32>(p) * load<f32>(q);
              p += sw * pixel;
              q += out;
            }
          }
          store<f32>(target + l, load<f32>(target + l) + sum);
        }
      }
    }
  }
}
