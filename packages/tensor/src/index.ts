export * from './create-tensor-core.js';
export * from './has-web-gpu.js';
export { type SupportedOp, supportedOps } from './kernel-of.js';
export * from './tfjs.js';
