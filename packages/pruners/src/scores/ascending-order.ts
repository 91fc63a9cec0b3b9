/**
 * The places of numbers of at least 0 from the smallest to the largest, equal ones in order: a radix sort over the bits
 * of float32, which order as the values do. `ascendingOrder(Float32Array.of(3, 1, 3))` is `[1, 0, 2]`.
 */
export function ascendingOrder(values: Float32Array): Uint32Array {
  const keys = new Uint32Array(values.buffer, values.byteOffset, values.length);
  let order = Uint32Array.from({ length: keys.length }, (_, i) => i);
  let next = new Uint32Array(keys.length);
  for (const shift of [0, 11, 22]) {
    const starts = new Uint32Array(2049);
    for (let i = 0; i < keys.length; i++) starts[((keys[i]! >>> shift) & 2047) + 1]!++;
    for (let digit = 0; digit < 2048; digit++) starts[digit + 1]! += starts[digit]!;
    for (let i = 0; i < order.length; i++) {
      const place = order[i]!;
      next[starts[(keys[place]! >>> shift) & 2047]!++] = place;
    }
    [order, next] = [next, order];
  }
  return order;
}
