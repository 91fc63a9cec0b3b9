// C = A B, with A and B read through strides, so that transposed operands cost nothing. B is packed into panels of
// eight columns; six rows by eight columns of C are held in registers; the depth goes in blocks.

const depth: i32 = 256;

/**
 * c[i, j] = sum over l of a[i, l] b[l, j], plus `bias[j]` where given. `ar`, `ac`, `br`, `bc` are the strides of
 * rows and columns in elements; c is dense, `n` columns wide. `room` holds 256 * 8 floats.
 */
export function gemm(
  a: usize,
  b: usize,
  out: usize,
  m: i32,
  n: i32,
  l: i32,
  ar: i32,
  ac: i32,
  br: i32,
  bc: i32,
  bias: usize,
  room: usize,
): void {
  if (l == 0) memory.fill(out, 0, ((m * n) as usize) << 2);
  const row = (n as usize) << 2;
  for (let j = 0; j < n; j += 8) {
    const lanes = min(8, n - j);
    for (let from = 0; from < l; from += depth) {
      const some = min(depth, l - from);
      pack(b + ((from * br + j * bc) << 2), room, some, lanes, br, bc);
      for (let i = 0; i < m; i += 6) {
        const rows = min(6, m - i);
        tile(
          a + ((i * ar + from * ac) << 2),
          room,
          out + i * row + (j << 2),
          some,
          rows,
          lanes,
          ar,
          ac,
          row,
          from == 0,
          bias == 0 ? 0 : bias + (j << 2),
        );
      }
    }
  }
}

function pack(b: usize, room: usize, some: i32, lanes: i32, br: i32, bc: i32): void {
  for (let l = 0; l < some; l++) {
    const s = b + ((l * br) << 2);
    if (lanes == 8 && bc == 1) {
      v128.store(room, v128.load(s));
      v128.store(room, v128.load(s, 16), 16);
    } else {
      for (let j = 0; j < 8; j++) store<f32>(room + (j << 2), j < lanes ? load<f32>(s + ((j * bc) << 2)) : 0);
    }
    room += 32;
  }
}

function tile(
  a: usize,
  q: usize,
  out: usize,
  some: i32,
  rows: i32,
  lanes: i32,
  ar: i32,
  ac: i32,
  row: usize,
  first: bool,
  bias: usize,
): void {
  const step = (ac as usize) << 2;
  let p0 = a;
  let p1 = a + ((min(1, rows - 1) * ar) << 2),
    p2 = a + ((min(2, rows - 1) * ar) << 2),
    p3 = a + ((min(3, rows - 1) * ar) << 2);
  let p4 = a + ((min(4, rows - 1) * ar) << 2),
    p5 = a + ((min(5, rows - 1) * ar) << 2);
  let a00 = f32x4.splat(0),
    a01 = a00,
    a10 = a00,
    a11 = a00,
    a20 = a00,
    a21 = a00;
  let a30 = a00,
    a31 = a00,
    a40 = a00,
    a41 = a00,
    a50 = a00,
    a51 = a00;
  for (let l = 0; l < some; l++) {
    const w0 = v128.load(q),
      w1 = v128.load(q, 16);
    let s = v128.load32_splat(p0);
    a00 = f32x4.add(a00, f32x4.mul(s, w0));
    a01 = f32x4.add(a01, f32x4.mul(s, w1));
    s = v128.load32_splat(p1);
    a10 = f32x4.add(a10, f32x4.mul(s, w0));
    a11 = f32x4.add(a11, f32x4.mul(s, w1));
    s = v128.load32_splat(p2);
    a20 = f32x4.add(a20, f32x4.mul(s, w0));
    a21 = f32x4.add(a21, f32x4.mul(s, w1));
    s = v128.load32_splat(p3);
    a30 = f32x4.add(a30, f32x4.mul(s, w0));
    a31 = f32x4.add(a31, f32x4.mul(s, w1));
    s = v128.load32_splat(p4);
    a40 = f32x4.add(a40, f32x4.mul(s, w0));
    a41 = f32x4.add(a41, f32x4.mul(s, w1));
    s = v128.load32_splat(p5);
    a50 = f32x4.add(a50, f32x4.mul(s, w0));
    a51 = f32x4.add(a51, f32x4.mul(s, w1));
    q += 32;
    p0 += step;
    p1 += step;
    p2 += step;
    p3 += step;
    p4 += step;
    p5 += step;
  }
  finish(out, a00, a01, lanes, first, bias);
  if (rows > 1) finish(out + row, a10, a11, lanes, first, bias);
  if (rows > 2) finish(out + 2 * row, a20, a21, lanes, first, bias);
  if (rows > 3) finish(out + 3 * row, a30, a31, lanes, first, bias);
  if (rows > 4) finish(out + 4 * row, a40, a41, lanes, first, bias);
  if (rows > 5) finish(out + 5 * row, a50, a51, lanes, first, bias);
}

function finish(out: usize, a: v128, b: v128, lanes: i32, first: bool, bias: usize): void {
  if (lanes == 8) {
    if (!first) {
      a = f32x4.add(a, v128.load(out));
      b = f32x4.add(b, v128.load(out, 16));
    } else if (bias != 0) {
      a = f32x4.add(a, v128.load(bias));
      b = f32x4.add(b, v128.load(bias, 16));
    }
    v128.store(out, a);
    v128.store(out, b, 16);
    return;
  }
  for (let j = 0; j < lanes; j++) {
    let v = j < 4 ? f32x4.extract_lane(a, 0) : f32x4.extract_lane(b, 0);
    a = j < 4 ? v128.shuffle<i32>(a, a, 1, 2, 3, 0) : a;
    b = j < 4 ? b : v128.shuffle<i32>(b, b, 1, 2, 3, 0);
    if (!first) v += load<f32>(out);
    else if (bias != 0) v += load<f32>(bias + (j << 2));
    store<f32>(out, v);
    out += 4;
  }
}
