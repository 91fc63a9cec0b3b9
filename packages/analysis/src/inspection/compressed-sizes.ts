import { bitsOf, byteLength, type Graph, isFloat, isInteger, sizeOf, type Tensor } from '@espalier/core';
import { countZeroElements } from '@espalier/ops';

/** Sizes in bytes under other ways of storing. */
export interface CompressedSizes {
  /** As it is. */
  readonly bytes: number;
  /** After gzip, as a web server sends it. */
  readonly gzipBytes: number;
  /**
   * With every constant stored as an ONNX sparse initializer (each value that is not zero with an int64 index)
   * wherever that is smaller; runtimes unpack it when they load. Given for graphs.
   */
  readonly sparseBytes?: number;
}

/**
 * The compressed size of a model, or of the bytes of a file. For a graph the constants are counted, which is all
 * but a little of a file. Bytes pass through a stream in pieces, so nothing big is copied.
 */
export async function compressedSizes(source: Graph | Uint8Array | readonly Uint8Array[]): Promise<CompressedSizes> {
  if ('nodes' in source) {
    const tensors = [...source.constants.values()];
    return {
      bytes: tensors.reduce((sum, tensor) => sum + byteLength(tensor), 0),
      gzipBytes: await gzipLength(tensors.map(bytesOf)),
      sparseBytes: tensors.reduce((sum, tensor) => sum + sparseLength(tensor), 0),
    };
  }
  const chunks = source instanceof Uint8Array ? [source] : source;
  return { bytes: chunks.reduce((sum, { length }) => sum + length, 0), gzipBytes: await gzipLength(chunks) };
}

function bytesOf(tensor: Tensor): Uint8Array {
  if (tensor.dtype === 'string') return new TextEncoder().encode(tensor.data.join('\0'));
  const { buffer, byteOffset, byteLength: length } = tensor.data;
  return new Uint8Array(buffer, byteOffset, length);
}

function sparseLength(tensor: Tensor): number {
  const dense = byteLength(tensor);
  const { dtype, shape } = tensor;
  if (!(isFloat(dtype) || isInteger(dtype)) || bitsOf(dtype) < 8 || shape.length === 0) return dense;
  return Math.min(dense, (sizeOf(shape) - countZeroElements(tensor)) * (bitsOf(dtype) / 8 + 8));
}

const piece = 2 ** 20;

async function gzipLength(chunks: readonly Uint8Array[]): Promise<number> {
  const gzip = new CompressionStream('gzip');
  const writer = gzip.writable.getWriter();
  const write = async () => {
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += piece) {
        // Only whole ArrayBuffers are typed as stream input; shared memory would need a copy.
        await writer.write(chunk.subarray(at, at + piece) as Uint8Array<ArrayBuffer>);
      }
    }
    await writer.close();
  };
  let length = 0;
  const read = async () => {
    const reader = gzip.readable.getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) length += part.value.length;
  };
  await Promise.all([write(), read()]);
  return length;
}
