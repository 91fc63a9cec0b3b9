import type { Collector } from '@espalier/core';
import { collectActivity } from './collect-activity.js';
import { collectChange } from './collect-change.js';
import { collectChannelRange } from './collect-channel-range.js';
import { collectGradient } from './collect-gradient.js';
import { collectGram } from './collect-gram.js';
import { collectHistogram } from './collect-histogram.js';
import { collectInputContribution } from './collect-input-contribution.js';
import { collectMoments } from './collect-moments.js';
import { collectRange } from './collect-range.js';
import { collectRegression } from './collect-regression.js';
import { collectWeightContribution } from './collect-weight-contribution.js';

/** The statistics of @espalier/core. */
type BuiltIn =
  | 'range'
  | 'channelRange'
  | 'histogram'
  | 'moments'
  | 'gram'
  | 'regression'
  | 'change'
  | 'activity'
  | 'gradient'
  | 'weightContribution'
  | 'inputContribution';

/** A collector for each statistic of @espalier/core. */
export const builtInCollectors = {
  range: collectRange,
  channelRange: collectChannelRange,
  histogram: collectHistogram,
  moments: collectMoments,
  gram: collectGram,
  regression: collectRegression,
  change: collectChange,
  activity: collectActivity,
  gradient: collectGradient,
  weightContribution: collectWeightContribution,
  inputContribution: collectInputContribution,
} satisfies { readonly [S in BuiltIn]: Collector<S> };
