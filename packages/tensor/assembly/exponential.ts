// Vector forms of the exponential family: ranges reduced by powers of two, then a polynomial (the classic
// single-precision Cephes coefficients, S. Moshier), about one unit in the last place. NaN stays NaN.

// @ts-ignore: decorator
@inline
function c(value: f32): v128 {
  return f32x4.splat(value);
}

/** e^x. Overflows to infinity above 88.72, goes through the subnormals down to 0. */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  const bounded = f32x4.max(f32x4.min(x, c(89)), c(-104));
  const n = f32x4.nearest(f32x4.mul(bounded, c(1.44269504088896341)));
  let r = f32x4.sub(bounded, f32x4.mul(n, c(0.693359375)));
  r = f32x4.sub(r, f32x4.mul(n, c(-2.12194440e-4)));
  let p = f32x4.add(f32x4.mul(c(1.9875691500e-4), r), c(1.3981999507e-3));
  p = f32x4.add(f32x4.mul(p, r), c(8.3334519073e-3));
  p = f32x4.add(f32x4.mul(p, r), c(4.1665795894e-2));
  p = f32x4.add(f32x4.mul(p, r), c(1.6666665459e-1));
  p = f32x4.add(f32x4.mul(p, r), c(5.0000001201e-1));
  p = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(p, r), r), r), c(1));
  // 2^n in two halves, so that neither overflows alone.
  const whole = i32x4.trunc_sat_f32x4_s(n);
  const half = i32x4.shr_s(whole, 1);
  const rest = i32x4.sub(whole, half);
  p = f32x4.mul(p, i32x4.shl(i32x4.add(half, i32x4.splat(127)), 23));
  return f32x4.mul(p, i32x4.shl(i32x4.add(rest, i32x4.splat(127)), 23));
}

/** The natural logarithm; -infinity at 0, NaN below. */
// @ts-ignore: decorator
@inline
export function log4(x: v128): v128 {
  // Subnormals are scaled up first.
  const tiny = f32x4.lt(x, c(1.17549435e-38));
  const scaled = v128.bitselect(f32x4.mul(x, c(8388608)), x, tiny);
  let e = i32x4.sub(i32x4.shr_u(scaled, 23), i32x4.splat(126));
  e = i32x4.sub(e, v128.and(tiny, i32x4.splat(23)));
  let m = v128.or(v128.and(scaled, i32x4.splat(0x007fffff)), i32x4.splat(0x3f000000));
  const low = f32x4.lt(m, c(0.707106781186547524));
  const exponent = f32x4.convert_i32x4_s(i32x4.add(e, low)); // a true comparison is -1
  m = f32x4.sub(f32x4.add(m, v128.and(m, low)), c(1));
  const z = f32x4.mul(m, m);
  let p = f32x4.add(f32x4.mul(c(7.0376836292e-2), m), c(-1.1514610310e-1));
  p = f32x4.add(f32x4.mul(p, m), c(1.1676998740e-1));
  p = f32x4.add(f32x4.mul(p, m), c(-1.2420140846e-1));
  p = f32x4.add(f32x4.mul(p, m), c(1.4249322787e-1));
  p = f32x4.add(f32x4.mul(p, m), c(-1.6668057665e-1));
  p = f32x4.add(f32x4.mul(p, m), c(2.0000714765e-1));
  p = f32x4.add(f32x4.mul(p, m), c(-2.4999993993e-1));
  p = f32x4.add(f32x4.mul(p, m), c(3.3333331174e-1));
  let y = f32x4.mul(f32x4.mul(p, m), z);
  y = f32x4.add(y, f32x4.mul(exponent, c(-2.12194440e-4)));
  y = f32x4.sub(y, f32x4.mul(z, c(0.5)));
  y = f32x4.add(f32x4.add(m, y), f32x4.mul(exponent, c(0.693359375)));
  const infinite = f32x4.eq(x, c(f32.MAX_VALUE * 2));
  y = v128.bitselect(x, y, infinite);
  y = v128.bitselect(c(-Infinity), y, f32x4.eq(x, c(0)));
  // Below zero, and for NaN itself, the answer is NaN.
  return v128.bitselect(y, c(NaN), f32x4.ge(x, c(0)));
}

/** 1 / (1 + e^-x). */
// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128): v128 {
  return f32x4.div(c(1), f32x4.add(c(1), exp4(f32x4.neg(x))));
}

/** The hyperbolic tangent: an odd polynomial near zero, 1 - 2 / (e^2x + 1) elsewhere. */
// @ts-ignore: decorator
@inline
export function tanh4(x: v128): v128 {
  const z = f32x4.mul(x, x);
  let p = f32x4.add(f32x4.mul(c(-5.70498872745e-3), z), c(2.06390887954e-2));
  p = f32x4.add(f32x4.mul(p, z), c(-5.37397155531e-2));
  p = f32x4.add(f32x4.mul(p, z), c(1.33314422036e-1));
  p = f32x4.add(f32x4.mul(p, z), c(-3.33332819422e-1));
  const near = f32x4.add(f32x4.mul(f32x4.mul(p, z), x), x);
  const far = f32x4.sub(c(1), f32x4.div(c(2), f32x4.add(exp4(f32x4.add(x, x)), c(1))));
  return v128.bitselect(near, far, f32x4.lt(f32x4.abs(x), c(0.625)));
}

/**
 * The error function: x + x P(x^2)/Q(x^2) below 0.84375 (fdlibm's rational form, Sun Microsystems), the five-term
 * form of Abramowitz & Stegun 7.1.26 above (error 1.5e-7).
 */
// @ts-ignore: decorator
@inline
export function erf4(x: v128): v128 {
  const a = f32x4.abs(x);
  const z = f32x4.mul(x, x);
  let p = f32x4.add(f32x4.mul(c(-2.3763017452e-5), z), c(-5.7702702470e-3));
  p = f32x4.add(f32x4.mul(p, z), c(-2.8481749818e-2));
  p = f32x4.add(f32x4.mul(p, z), c(-3.2504209876e-1));
  p = f32x4.add(f32x4.mul(p, z), c(1.2837916613e-1));
  let q = f32x4.add(f32x4.mul(c(-3.9602282413e-6), z), c(1.3249473704e-4));
  q = f32x4.add(f32x4.mul(q, z), c(5.0813062117e-3));
  q = f32x4.add(f32x4.mul(q, z), c(6.5022252500e-2));
  q = f32x4.add(f32x4.mul(q, z), c(3.9791721106e-1));
  q = f32x4.add(f32x4.mul(q, z), c(1));
  const near = f32x4.add(x, f32x4.mul(x, f32x4.div(p, q)));
  const t = f32x4.div(c(1), f32x4.add(c(1), f32x4.mul(c(0.3275911), a)));
  let s = f32x4.add(f32x4.mul(c(1.061405429), t), c(-1.453152027));
  s = f32x4.add(f32x4.mul(s, t), c(1.421413741));
  s = f32x4.add(f32x4.mul(s, t), c(-0.284496736));
  s = f32x4.mul(f32x4.add(f32x4.mul(s, t), c(0.254829592)), t);
  const positive = f32x4.sub(c(1), f32x4.mul(s, exp4(f32x4.neg(z))));
  const sign = v128.and(x, i32x4.splat(0x80000000));
  return v128.bitselect(near, v128.or(positive, sign), f32x4.lt(a, c(0.84375)));
}
