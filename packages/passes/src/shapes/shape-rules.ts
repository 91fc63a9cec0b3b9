import type { OpName } from '../op-names.js';
import { convRules } from './conv.js';
import { elementwiseRules } from './elementwise.js';
import { gatherRules } from './gather.js';
import { generateRules } from './generate.js';
import { matmulRules } from './matmul.js';
import { normalizationRules } from './normalization.js';
import { poolRules } from './pool.js';
import { reduceRules } from './reduce.js';
import { reshapeRules } from './reshape.js';
import type { ShapeRule } from './site.js';
import { slicingRules } from './slicing.js';

/** How each op makes the types of its outputs from those of its inputs. */
export const shapeRules: Readonly<Record<OpName, ShapeRule>> = {
  ...convRules,
  ...elementwiseRules,
  ...gatherRules,
  ...generateRules,
  ...matmulRules,
  ...normalizationRules,
  ...poolRules,
  ...reduceRules,
  ...reshapeRules,
  ...slicingRules,
} satisfies Record<OpName, ShapeRule>;
