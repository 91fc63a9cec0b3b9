export * from './calibrate.js';
export * from './collectors.js';
export { collectorsOf } from './collectors-of.js';
export * from './reestimate-batch-norm.js';
