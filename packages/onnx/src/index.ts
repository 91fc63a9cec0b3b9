export { decodeOnnx, type OnnxReadOptions } from './decode-onnx.js';
export { encodeOnnx, type OnnxWriteOptions } from './encode-onnx.js';
export * from './onnx-export.js';
export * from './onnx-import.js';
export * from './read-onnx.js';
export * from './recognise-onnx.js';
export * from './write-onnx.js';
