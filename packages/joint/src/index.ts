export { qasso } from './qasso/qasso.js';
export { type Quantizer, quantizersOf } from './quantizers-of.js';
export { type Lattice, stepFor, stepWithin, type Widths, widthOf } from './width.js';
