import { type Graph, joinBytes } from '@espalier/core';
import { encodeOnnx } from '../src/encode-onnx.js';

/** Whether two runs of bytes are equal; comparing them element by element takes a test runner minutes. */
export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** Whether two graphs are written as the same bytes; `round-trip.test.ts` shows that bytes tell graphs apart. */
export const sameGraph = (a: Graph, b: Graph): boolean => sameBytes(joinBytes(encodeOnnx(a)), joinBytes(encodeOnnx(b)));
