import { type Pattern, type PruneOptions, patternSparsity } from '@espalier/pruners';

/** The sparsity that options of the pruning driver end at. */
export const goalOf = ({ sparsity, granularity = 'weight' }: PruneOptions): number =>
  granularity === 'weight' ? (sparsity ?? 0) : patternSparsity(granularity);

/**
 * The options on their way, when the whole has come to a sparsity: targets of single layers keep their proportion to
 * it. A pattern N:M decays: as many of M are kept as the share asks for, and never fewer than N (Kao et al. 2022,
 * arXiv 2209.07617). For 2:4 at a sparsity of 0.3, 3 of 4 are kept.
 */
export function goalAt(options: PruneOptions, sparsity: number): PruneOptions {
  const { sparsity: _, granularity = 'weight', overrides = {}, ...rest } = options;
  const goal = goalOf(options);
  const way = goal > 0 ? Math.min(1, sparsity / goal) : 1;
  const others = Object.fromEntries(
    Object.entries(overrides).map(([pattern, own]) => [
      pattern,
      typeof own === 'number' ? own * way : decayed(own, way),
    ]),
  );
  const own = granularity === 'weight' ? sparsity : decayed(granularity, way);
  return {
    ...rest,
    overrides: others,
    ...(typeof own === 'number' ? { sparsity: own } : { granularity: own }),
  };
}

/** The pattern part of the way there; 0 where it still keeps everything. */
function decayed({ n, m }: Pattern, way: number): Pattern | number {
  const kept = Math.max(n, Math.ceil(m - (m - n) * way - 1e-6));
  return kept === m ? 0 : { n: kept, m };
}
