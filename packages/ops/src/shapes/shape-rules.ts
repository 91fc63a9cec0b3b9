import type { OpName } from '../op-names.js';
import { attentionRules } from './attention.js';
import { contribRules } from './contrib.js';
import { controlFlowRules } from './control-flow.js';
import { convRules } from './conv.js';
import { elementwiseRules } from './elementwise.js';
import { gatherRules } from './gather.js';
import { generateRules } from './generate.js';
import { linearAlgebraRules } from './linear-algebra.js';
import { lossRules } from './losses.js';
import { matmulRules } from './matmul.js';
import { normalizationRules } from './normalization.js';
import { poolRules } from './pool.js';
import { quantizationRules } from './quantization.js';
import { recurrentRules } from './recurrent.js';
import { reduceRules } from './reduce.js';
import { reshapeRules } from './reshape.js';
import { resizeRules } from './resize.js';
import { sequenceRules } from './sequence.js';
import { signalRules } from './signal.js';
import type { ShapeRule } from './site.js';
import { slicingRules } from './slicing.js';
import { textRules } from './text.js';
import { trainingRules } from './training.js';
import { visionRules } from './vision.js';

/** The rule of each op that infers the types of its outputs from those of its inputs. */
export const shapeRules: Readonly<Record<OpName, ShapeRule>> = {
  ...attentionRules,
  ...contribRules,
  ...controlFlowRules,
  ...convRules,
  ...elementwiseRules,
  ...gatherRules,
  ...generateRules,
  ...linearAlgebraRules,
  ...lossRules,
  ...matmulRules,
  ...normalizationRules,
  ...poolRules,
  ...quantizationRules,
  ...recurrentRules,
  ...reduceRules,
  ...reshapeRules,
  ...resizeRules,
  ...sequenceRules,
  ...signalRules,
  ...slicingRules,
  ...textRules,
  ...trainingRules,
  ...visionRules,
} satisfies Record<OpName, ShapeRule>;
