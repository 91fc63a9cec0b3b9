export { lenet5 } from './models/lenet5.js';
export { resnet20 } from './models/resnet20.js';
export { resnet32 } from './models/resnet32.js';
export { resnet56 } from './models/resnet56.js';
