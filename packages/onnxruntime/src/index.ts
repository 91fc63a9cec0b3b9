export * from './create-onnx-runtime.js';
export * from './onnxruntime.js';
export type { Backend } from './runtime.js';
