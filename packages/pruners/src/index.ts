export { removeDeadUnits, removeDeadUnitsPass } from './dead-units/remove-dead-units.js';
export { type Granularity, type Pattern, patternSparsity, patternText, readGranularity } from './granularity.js';
export { type Branch, branchesOf } from './layers/branches-of.js';
export { removeBranches } from './layers/remove-branches.js';
export { magnitude } from './magnitude.js';
export {
  type Normalization,
  type PruneOptions,
  pruneOptions,
  readPruneOptions,
  type WrittenPruneOptions,
} from './prune-options.js';
export { pruneWeights } from './prune-weights.js';
export { channelPruning } from './prunings/channel.js';
export { headPruning } from './prunings/head.js';
export { headDimensionPruning } from './prunings/head-dimension.js';
export { layerPruning } from './prunings/layer.js';
export { weightPruning } from './prunings/weight.js';
export { randomPruner } from './random-pruner.js';
export { activation } from './scores/activation.js';
export { cosine } from './scores/cosine.js';
export { fisher } from './scores/fisher.js';
export { fpgm } from './scores/fpgm.js';
export { lamp } from './scores/lamp.js';
export { snip } from './scores/snip.js';
export { taylor } from './scores/taylor.js';
export { type Sparsity, type SparsityReport, sparsityReport } from './sparsity-report.js';
export { type Choice, chooseUnits, type Goal } from './structured/choose-units.js';
export { type Cost, type CostModel, costModel } from './structured/cost-model.js';
export { type CoupledGraph, coupled } from './structured/coupled.js';
export { cut } from './structured/cut.js';
export type { Group, Slice } from './structured/group.js';
export { type GroupRow, type GroupTable, type GroupTableOptions, groupTable } from './structured/group-table.js';
export { kindsOfGroups } from './structured/kinds-of-groups.js';
export { maskGroups } from './structured/mask-groups.js';
export { prepareStructured } from './structured/prepare-structured.js';
export { type CutGraph, type ReconstructOptions, reconstruct } from './structured/reconstruct/reconstruct.js';
export type { Removals } from './structured/removal.js';
export { scoreUnits, type UnitScores, type UnitScoring } from './structured/score-units.js';
export { type PrunableOp, usualOps } from './weight-rules.js';
