import { didYouMean, type Need, needKey, problem, shown } from '@espalier/core';

/** The error for a sparsity that is not a share. */
export const badSparsity = (where: string, found: unknown) =>
  problem('PRUNE_SPARSITY', {
    where,
    expected: 'a share of the weights from 0 to 1',
    found: shown(found),
    fix: 'Half of the weights is 0.5.',
  });

/** The error for a sparsity beside an N:M pattern that means another one. */
export const sparsityBesidePattern = (found: number, pattern: string, share: number) =>
  problem('PRUNE_SPARSITY', {
    where: 'prune.sparsity',
    expected: `nothing, or ${share}, beside the pattern ${pattern}`,
    found: shown(found),
    fix: 'An N:M pattern fixes the sparsity: leave `sparsity` out, or choose another pattern.',
  });

/** The error for a granularity that is neither single weights nor a pattern. */
export const badGranularity = (found: unknown) =>
  problem('PRUNE_GRANULARITY', {
    where: 'prune.granularity',
    expected: '"weight", or an N:M pattern with 1 <= N < M <= 256 such as "2:4"',
    found: shown(found),
    fix:
      found === 'channel' || found === 'group'
        ? 'Whole channels are removed by channelPruning, or in a recipe by a prune step with granularity: channel.'
        : 'N weights of every M neighbours along the reduction axis are kept.',
  });

/** The error for an op whose weights are not known. */
export const unknownOp = (op: string, known: readonly string[]) =>
  problem('PRUNE_OP', {
    where: 'prune.ops',
    expected: `ops among ${known.join(', ')}`,
    found: shown(op),
    fix: `${didYouMean(op, known)}Weights of other ops are never pruned.`,
  });

/** The error for an override that cannot be read. */
export const badOverride = (found: string) =>
  problem('PRUNE_OVERRIDE', {
    where: 'prune.overrides',
    expected: '"PATTERN=SPARSITY" or "PATTERN=N:M"',
    found: shown(found),
    fix: 'For example "conv1=0" leaves conv1 as it is, and "fc*=0.9" prunes 90 % of every fc layer.',
  });

/** The error for a pruner that breaks its contract. */
export const badScores = (value: string, { expected, found }: { expected: string; found: string }) =>
  problem('PRUNE_SCORES', {
    where: `scores of "${value}"`,
    expected,
    found,
    fix: 'This is a fault of the pruner plugin: tell its author.',
  });

/** The error for a weight that is not a number. */
export const badWeight = (value: string, index: number) =>
  problem('PRUNE_WEIGHT', {
    where: `weight "${value}", element ${index}`,
    expected: 'a number',
    found: 'NaN',
    fix: 'The model is damaged: repair it, or leave this weight with `ignore`.',
  });

/** The error for a group that a graph does not have. */
export const unknownGroup = (id: string, known: readonly string[]) =>
  problem('PRUNE_GROUP', {
    where: 'removals',
    expected: 'ids of groups of this graph',
    found: shown(id),
    fix: `${didYouMean(id, known.slice(0, 5000))}\`coupled\` lists them.`,
    details: { group: id },
  });

/** The error for a group that cannot be pruned. */
export const untouchableGroup = (id: string, reason: string) =>
  problem('PRUNE_GROUP', {
    where: `group "${id}"`,
    expected: 'a group that can be pruned',
    found: `one that cannot: ${reason}`,
    details: { group: id },
  });

/** The error for a unit that a group does not have. */
export const badUnit = (id: string, { expected, found }: { readonly expected: number; readonly found: number }) =>
  problem('PRUNE_GROUP', {
    where: `group "${id}"`,
    expected: `units from 0 to ${expected - 1}`,
    found: shown(found),
    details: { group: id },
  });

/** The error for a removal that leaves nothing of a value. */
export const emptyAxis = (value: string) =>
  problem('PRUNE_EMPTY', {
    where: `value "${value}"`,
    expected: 'at least one index to be left on each axis',
    found: 'none',
    fix: 'Keep a unit of each group.',
    details: { value },
  });

/** The error for a share that is none. */
export const badGoal = (kind: string, found: unknown) =>
  problem('PRUNE_GOAL', {
    where: `prune.${kind}`,
    expected: 'a share from 0 to 1',
    found: shown(found),
    fix: 'Half of it is 0.5.',
  });

/** The error for single weights with a pruner that scores whole units alone. */
export const onlyUnits = () =>
  problem('PRUNE_SCORER', {
    where: 'prune.pruner',
    expected: 'a pruner that scores single weights, for granularity weight or N:M',
    found: 'one that scores whole units only',
    fix: 'Use granularity: channel, or a pruner such as magnitude, lamp, taylor, fisher or snip.',
  });

/** The error for a choice of weights, or of how to combine them, with a pruner that it means nothing to. */
export const uselessBesideUnits = (option: 'weights' | 'reduce', found: string) =>
  problem('PRUNE_OPTION', {
    where: `prune.${option}`,
    expected: 'nothing beside a pruner that scores whole units',
    found: shown(found),
    fix:
      option === 'reduce'
        ? 'Leave it out: there are no scores of weights to combine.'
        : 'Leave it out: these scores do not look at weights.',
  });

/** The error for evidence that a pruner asked for and did not get. */
export const missingEvidence = (need: Need) =>
  problem('PRUNE_EVIDENCE', {
    where: `scores, need ${needKey(need)}`,
    expected: 'evidence of it',
    found: 'none',
    fix: 'Run calibration for the `needs` of the pruning on its `graph`, and pass the evidence.',
    details: { need },
  });

/** The error for a damping that is none. */
export const badDamping = (found: unknown) =>
  problem('PRUNE_DAMPING', {
    where: 'reconstruct.damping',
    expected: 'a number of at least 0',
    found: shown(found),
    fix: '0.01 suits most networks.',
  });

/** The error for a branch that a graph does not have. */
export const unknownBranch = (id: string, known: readonly string[]) =>
  problem('PRUNE_BRANCH', {
    where: 'removeBranches',
    expected: 'ids of branches of this graph',
    found: shown(id),
    fix: `${didYouMean(id, known.slice(0, 5000))}\`branchesOf\` lists them.`,
    details: { branch: id },
  });

/** The error for a branch whose influence was not measured. */
export const noInfluence = (id: string) =>
  problem('PRUNE_EVIDENCE', {
    where: `branch "${id}"`,
    expected: 'how much it changes its input, from calibration data',
    found: 'nothing',
    fix: 'Collect the `needs` of the pruning with calibration data first, or choose the measure `sum` or `mean`.',
  });
