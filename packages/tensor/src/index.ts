export * from './create-tensor-core.js';
export { type SupportedOp, supportedOps } from './kernel-of.js';
export * from './tfjs.js';
export { hasWebGpu } from './webgpu/load-web-gpu.js';
