export { readSafetensors } from './read-safetensors.js';
export type { Safetensors } from './safetensors.js';
export { writeSafetensors } from './write-safetensors.js';
