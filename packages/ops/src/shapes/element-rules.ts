import type { OpName } from '../op-names.js';
import { arithmeticElements } from './element-arithmetic.js';
import { movementElements } from './element-movement.js';
import type { ElementRule } from './site.js';

/** The ops that computations of shapes are made of. The elements of all other outputs are not followed. */
export const elementRules: Readonly<Partial<Record<OpName, ElementRule>>> = {
  ...arithmeticElements,
  ...movementElements,
};
