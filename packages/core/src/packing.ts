/** Bits of the packed integer formats. */
export type PackedBits = 2 | 4;

/**
 * Packs small integers, element 0 in the lowest bits; the odd tail is zero (onnx.proto, TensorProto.raw_data).
 * `pack([1, -2, 3], 4)` is `[0xe1, 0x03]`.
 */
export function pack(values: ArrayLike<number>, bits: PackedBits): Uint8Array {
  const each = 8 / bits;
  const mask = (1 << bits) - 1;
  const out = new Uint8Array(Math.ceil(values.length / each));
  for (let i = 0; i < values.length; i++) {
    out[Math.floor(i / each)]! |= (values[i]! & mask) << ((i % each) * bits);
  }
  return out;
}

/** Unpacks `count` small integers; signed ones are sign-extended. `unpack([0xe1, 0x03], 3, 4, true)` is `[1, -2, 3]`. */
export function unpack(bytes: Uint8Array, count: number, bits: PackedBits, signed: boolean): Int8Array {
  const each = 8 / bits;
  const shift = 32 - bits;
  const out = new Int8Array(count);
  for (let i = 0; i < count; i++) {
    const code = bytes[Math.floor(i / each)]! >> ((i % each) * bits);
    out[i] = signed ? (code << shift) >> shift : code & ((1 << bits) - 1);
  }
  return out;
}
