import { erf4, exp4, log4, sigmoid4, tanh4 } from './exponential';

// @ts-ignore: decorator
@inline
function c(value: f32): v128 {
  return f32x4.splat(value);
}

// `op` is a literal at every call, so one branch is left of each copy. NaN goes through: pmin and pmax return their
// first argument unless the second one is beyond it.
// @ts-ignore: decorator
@inline
function apply(op: i32, x: v128, p: v128, q: v128): v128 {
  if (op == 0) return f32x4.pmax(x, c(0)); // Relu
  if (op == 1) return f32x4.abs(x);
  if (op == 2) return f32x4.neg(x);
  if (op == 3) return exp4(x);
  if (op == 4) return log4(x);
  if (op == 5) return f32x4.sqrt(x);
  if (op == 6) return f32x4.div(c(1), x);
  if (op == 7) return sigmoid4(x);
  if (op == 8) return tanh4(x);
  if (op == 9) return erf4(x);
  if (op == 10) {
    // Sign, with NaN for NaN
    const one = v128.or(v128.and(f32x4.gt(x, c(0)), c(1)), v128.and(f32x4.lt(x, c(0)), c(-1)));
    return v128.bitselect(one, x, f32x4.eq(x, x));
  }
  if (op == 11) return f32x4.floor(x);
  if (op == 12) return f32x4.ceil(x);
  if (op == 13) return f32x4.nearest(x);
  if (op == 14) return f32x4.pmin(f32x4.pmax(x, p), q); // Clip to p..q
  if (op == 15) return v128.bitselect(f32x4.mul(x, p), x, f32x4.lt(x, c(0))); // LeakyRelu, slope p
  if (op == 16) return f32x4.pmin(f32x4.pmax(f32x4.add(f32x4.mul(x, p), q), c(0)), c(1)); // HardSigmoid, slope p, offset q
  if (op == 17) {
    // HardSwish
    return f32x4.mul(x, f32x4.pmin(f32x4.pmax(f32x4.add(f32x4.div(x, c(6)), c(0.5)), c(0)), c(1)));
  }
  if (op == 18) {
    // Elu times q: q x above zero, q p (e^x - 1) below
    const low = f32x4.mul(p, expm1(x));
    return f32x4.mul(q, v128.bitselect(low, x, f32x4.lt(x, c(0))));
  }
  if (op == 19) {
    // Softplus: max(x, 0) + log(1 + e^-|x|)
    return f32x4.add(f32x4.pmax(x, c(0)), log1p(exp4(f32x4.neg(f32x4.abs(x)))));
  }
  if (op == 20) return f32x4.div(x, f32x4.add(c(1), f32x4.abs(x))); // Softsign
  if (op == 21) return v128.andnot(x, f32x4.le(x, p)); // ThresholdedRelu
  if (op == 22) return f32x4.mul(f32x4.mul(x, c(0.5)), f32x4.add(c(1), erf4(f32x4.mul(x, c(0.70710678118654752))))); // Gelu
  if (op == 23) {
    // Gelu by tanh: x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
    const cubic = f32x4.mul(f32x4.mul(x, x), f32x4.mul(x, c(0.044715)));
    return f32x4.mul(f32x4.mul(x, c(0.5)), f32x4.add(c(1), tanh4(f32x4.mul(f32x4.add(x, cubic), c(0.7978845608028654)))));
  }
  if (op == 24) return f32x4.mul(x, sigmoid4(f32x4.mul(x, p))); // Swish
  if (op == 25) {
    // Mish
    const soft = f32x4.add(f32x4.pmax(x, c(0)), log1p(exp4(f32x4.neg(f32x4.abs(x)))));
    return f32x4.mul(x, tanh4(soft));
  }
  if (op == 26) {
    // Celu: above zero x, below p (e^(x/p) - 1)
    return v128.bitselect(f32x4.mul(p, expm1(f32x4.div(x, p))), x, f32x4.lt(x, c(0)));
  }
  if (op == 27) return v128.and(f32x4.ne(x, x), i32x4.splat(1)); // IsNaN, as integers
  if (op == 28) return f32x4.add(f32x4.mul(x, p), q); // p x + q
  if (op == 29) return v128.and(f32x4.eq(f32x4.abs(x), c(Infinity)), i32x4.splat(1)); // IsInf, as integers
  if (op == 30) return f32x4.convert_i32x4_s(x); // integers to floats
  if (op == 31) return i32x4.trunc_sat_f32x4_s(x); // floats to integers, toward zero
  if (op == 32) return v128.and(f32x4.ne(x, c(0)), i32x4.splat(1)); // floats to truth, as integers
  if (op == 33) return v128.and(i32x4.ne(x, i32x4.splat(0)), i32x4.splat(1)); // integers to truth
  if (op == 34) return v128.and(i32x4.eq(x, i32x4.splat(0)), i32x4.splat(1)); // Not
  return f32x4.mul(x, x); // 35: the square
}

/** e^x - 1: the series near zero, where the difference would cancel. */
// @ts-ignore: decorator
@inline
function expm1(x: v128): v128 {
  let p = f32x4.add(f32x4.mul(x, c(0.0013888889)), c(0.0083333333));
  p = f32x4.add(f32x4.mul(p, x), c(0.0416666667));
  p = f32x4.add(f32x4.mul(p, x), c(0.1666666667));
  p = f32x4.add(f32x4.mul(p, x), c(0.5));
  const near = f32x4.add(f32x4.mul(f32x4.mul(p, x), x), x);
  return v128.bitselect(near, f32x4.sub(exp4(x), c(1)), f32x4.lt(f32x4.abs(x), c(0.25)));
}

/** log(1 + x) for x from 0 to 1, exact near zero: log(u) x / (u - 1) with u = 1 + x. */
// @ts-ignore: decorator
@inline
function log1p(x: v128): v128 {
  const u = f32x4.add(x, c(1));
  const d = f32x4.sub(u, c(1));
  return v128.bitselect(x, f32x4.div(f32x4.mul(log4(u), x), d), f32x4.eq(d, c(0)));
}

// @ts-ignore: decorator
@inline
function run(op: i32, x: usize, out: usize, n: i32, p: f32, q: f32): void {
  const pp = f32x4.splat(p);
  const qq = f32x4.splat(q);
  let i = n;
  for (; i >= 4; i -= 4) {
    v128.store(out, apply(op, v128.load(x), pp, qq));
    x += 16;
    out += 16;
  }
  for (; i > 0; i--) {
    v128.store_lane<f32>(out, apply(op, v128.load32_zero(x), pp, qq), 0);
    x += 4;
    out += 4;
  }
}

/** out[i] = op(x[i]) over `n` elements; `p` and `q` are the op's parameters. May work in place. */
export function unary(op: i32, x: usize, out: usize, n: i32, p: f32, q: f32): void {
  switch (op) {
    case 0:
      return run(0, x, out, n, p, q);
    case 1:
      return run(1, x, out, n, p, q);
    case 2:
      return run(2, x, out, n, p, q);
    case 3:
      return run(3, x, out, n, p, q);
    case 4:
      return run(4, x, out, n, p, q);
    case 5:
      return run(5, x, out, n, p, q);
    case 6:
      return run(6, x, out, n, p, q);
    case 7:
      return run(7, x, out, n, p, q);
    case 8:
      return run(8, x, out, n, p, q);
    case 9:
      return run(9, x, out, n, p, q);
    case 10:
      return run(10, x, out, n, p, q);
    case 11:
      return run(11, x, out, n, p, q);
    case 12:
      return run(12, x, out, n, p, q);
    case 13:
      return run(13, x, out, n, p, q);
    case 14:
      return run(14, x, out, n, p, q);
    case 15:
      return run(15, x, out, n, p, q);
    case 16:
      return run(16, x, out, n, p, q);
    case 17:
      return run(17, x, out, n, p, q);
    case 18:
      return run(18, x, out, n, p, q);
    case 19:
      return run(19, x, out, n, p, q);
    case 20:
      return run(20, x, out, n, p, q);
    case 21:
      return run(21, x, out, n, p, q);
    case 22:
      return run(22, x, out, n, p, q);
    case 23:
      return run(23, x, out, n, p, q);
    case 24:
      return run(24, x, out, n, p, q);
    case 25:
      return run(25, x, out, n, p, q);
    case 26:
      return run(26, x, out, n, p, q);
    case 27:
      return run(27, x, out, n, p, q);
    case 28:
      return run(28, x, out, n, p, q);
    case 29:
      return run(29, x, out, n, p, q);
    case 30:
      return run(30, x, out, n, p, q);
    case 31:
      return run(31, x, out, n, p, q);
    case 32:
      return run(32, x, out, n, p, q);
    case 33:
      return run(33, x, out, n, p, q);
    case 34:
      return run(34, x, out, n, p, q);
    default:
      return run(35, x, out, n, p, q);
  }
}
