export type { Derivative, DerivativeContext } from './derivative.js';
export { derivativeOf, flatOps } from './derivative-of.js';
export { type Gradients, gradients } from './gradients.js';
