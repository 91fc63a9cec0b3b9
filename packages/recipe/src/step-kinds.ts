import type { StepKind } from './step.js';
import { passStep } from './steps/pass.js';
import { pruneStep } from './steps/prune.js';
import { quantizeStep } from './steps/quantize.js';
import { trainStep } from './steps/train.js';

/** Every kind of step that a recipe can have, by the key it is written under. */
export const stepKinds = {
  pass: passStep,
  prune: pruneStep,
  train: trainStep,
  quantize: quantizeStep,
} satisfies Readonly<Record<string, StepKind>>;

/** The key of a kind of step. */
export type StepName = keyof typeof stepKinds;
