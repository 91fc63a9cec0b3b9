import { collectChannelRange } from './collect-channel-range.js';
import { collectGram } from './collect-gram.js';
import { collectHistogram } from './collect-histogram.js';
import { collectMoments } from './collect-moments.js';
import { collectRange } from './collect-range.js';
import type { Collector } from './collector.js';

/** The statistics of @espalier/core. */
type BuiltIn = 'range' | 'channelRange' | 'histogram' | 'moments' | 'gram';

/** A collector for each statistic of @espalier/core. */
export const builtInCollectors = {
  range: collectRange,
  channelRange: collectChannelRange,
  histogram: collectHistogram,
  moments: collectMoments,
  gram: collectGram,
} satisfies { readonly [S in BuiltIn]: Collector<S> };
