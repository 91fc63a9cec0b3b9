import type { Verb } from './verb.js';

export const demo: Verb = () => {};
