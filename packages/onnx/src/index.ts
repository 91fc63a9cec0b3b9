export * from './decode-onnx.js';
export * from './encode-onnx.js';
