/** Protocol Buffers bytes written by hand, so that tests do not lean on the writer under test. */

/** A varint; negative numbers as 64-bit two's complement. */
export function varint(value: number | bigint): number[] {
  let rest = BigInt.asUintN(64, BigInt(value));
  const out: number[] = [];
  while (rest > 0x7fn) {
    out.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return [...out, Number(rest)];
}

/** A varint field. */
export const number = (field: number, value: number | bigint): number[] => [...varint(field << 3), ...varint(value)];

/** A length-delimited field: a text, bytes, or the fields of a message. */
export function block(field: number, content: string | ArrayLike<number>): number[] {
  const bytes = typeof content === 'string' ? [...new TextEncoder().encode(content)] : Array.from(content);
  return [...varint((field << 3) | 2), ...varint(bytes.length), ...bytes];
}

/** A fixed32 float field. */
export const float = (field: number, value: number): number[] => [...varint((field << 3) | 5), ...float32(value)];

/** The bytes of a float32. */
export const float32 = (value: number): number[] => [...new Uint8Array(Float32Array.of(value).buffer)];

/** The bytes of a float64. */
export const float64 = (value: number): number[] => [...new Uint8Array(Float64Array.of(value).buffer)];

/** A model of opset 17 from the fields of its graph. */
export const model = (graph: readonly number[], more: readonly number[] = []): Uint8Array =>
  Uint8Array.from([...number(1, 8), ...block(7, graph), ...block(8, number(2, 17)), ...more]);

/** A graph whose only output is the initializer `w`, given the fields of its tensor. */
export const constantModel = (tensor: readonly number[]): Uint8Array =>
  model([...block(5, [...tensor, ...block(8, 'w')]), ...block(12, block(1, 'w'))]);

/** A graph with one node of an op, given the fields of its attributes. */
export const nodeModel = (attributes: readonly (readonly number[])[], op = 'Test'): Uint8Array =>
  model([
    ...block(1, [...block(2, 'y'), ...block(4, op), ...attributes.flatMap((each) => block(5, each))]),
    ...block(12, block(1, 'y')),
  ]);
