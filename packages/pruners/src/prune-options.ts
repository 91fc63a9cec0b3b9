import { type AxisRules, type Options, type Pruner, type Resolved, resolveOptions } from '@espalier/core';
import { badOverride, badSparsity, sparsityBesidePattern, unknownOp } from './errors.js';
import {
  checkGranularity,
  type Granularity,
  type Pattern,
  patternSparsity,
  patternText,
  readGranularity,
} from './granularity.js';
import { prunableOps, usualOps } from './weight-rules.js';

/** The normalization that makes scores of different layers comparable. */
export type Normalization = 'none' | 'l2-per-layer';

/** Options of the pruning of single weights as data, as they stand in a recipe beside those of the pruner. */
export const pruneOptions = {
  sparsity: {
    type: 'number',
    default: 0.5,
    min: 0,
    max: 1,
    about: 'the share of weights that are zero afterwards; an N:M pattern fixes it by itself',
  },
  granularity: {
    type: 'text',
    default: 'weight',
    about: 'what is pruned together: `weight`, or N:M such as `2:4` (2 of every 4 input channels are kept)',
  },
  scope: {
    type: 'choice',
    of: ['layer', 'global'],
    default: 'layer',
    when: { granularity: ['weight'] },
    about: 'whether every layer gets the sparsity, or all of them together',
  },
  normalize: {
    type: 'choice',
    of: ['none', 'l2-per-layer'],
    default: 'none',
    when: { scope: ['global'] },
    about: 'whether scores are divided by the l2 norm of those of their layer',
  },
  ops: { type: 'texts', default: usualOps, about: 'ops whose weights are pruned' },
  only: { type: 'texts', default: [], about: 'patterns of node ids or weight names to prune (* and ?); empty for all' },
  ignore: { type: 'texts', default: [], about: 'patterns of node ids or weight names to leave (* and ?)' },
  minimumSize: { type: 'integer', default: 0, min: 0, about: 'weights with fewer elements are left' },
  overrides: {
    type: 'pairs',
    of: { type: 'text' },
    default: [],
    about: 'other targets for some layers, later ones first: `conv1=0` leaves it, `fc*=0.9`, `block?=2:4`',
  },
} as const satisfies Options;

/** How single weights are pruned. Patterns name node ids or weights, with `*` and `?`. */
export interface PruneOptions {
  readonly pruner: Pruner;
  /** The share of weights that are zero afterwards, those that were zero before included. Fixed by an N:M pattern. */
  readonly sparsity?: number;
  /** Default: single weights. */
  readonly granularity?: Granularity;
  /** Whether each layer gets the sparsity (`layer`, the default) or all layers together (`global`). */
  readonly scope?: 'layer' | 'global';
  /** With global scope: whether scores are divided by the l2 norm of the scores of their layer first. */
  readonly normalize?: Normalization;
  /** Ops whose weights are pruned. Default: Conv, ConvTranspose, Gemm and MatMul. */
  readonly ops?: readonly string[];
  /** Axis rules of custom ops: those that sum over a constant are pruned too. */
  readonly rules?: AxisRules;
  readonly only?: readonly string[];
  readonly ignore?: readonly string[];
  /** Weights with fewer elements are left. */
  readonly minimumSize?: number;
  /** Other targets by pattern, apart from the global ranking; the last pattern that matches counts. */
  readonly overrides?: Readonly<Record<string, number | Pattern>>;
}

/** Options with every default filled in and every contradiction refused. */
export interface CheckedPruneOptions {
  readonly pruner: Pruner;
  readonly goal: number | Pattern;
  readonly scope: 'layer' | 'global';
  readonly normalize: Normalization;
  readonly ops: readonly string[];
  readonly rules?: AxisRules;
  readonly only: readonly string[];
  readonly ignore: readonly string[];
  readonly minimumSize: number;
  readonly overrides: readonly (readonly [pattern: string, goal: number | Pattern])[];
}

/** @throws PRUNE_SPARSITY, PRUNE_GRANULARITY, PRUNE_OP, OPTION_CONFLICT. */
export function checkPruneOptions(options: PruneOptions): CheckedPruneOptions {
  const { scope = 'layer', normalize = 'none', ops = usualOps, minimumSize = 0 } = options;
  const granularity = checkGranularity(options.granularity ?? 'weight');
  checkDependent({
    granularity: granularity === 'weight' ? granularity : patternText(granularity),
    scope,
    normalize,
  });
  const overrides = Object.entries(options.overrides ?? {});
  for (const [pattern, goal] of overrides) checkGoal(goal, `prune.overrides["${pattern}"]`);
  return {
    pruner: options.pruner,
    goal: goalOf(granularity, options.sparsity),
    scope,
    normalize,
    ops: [...ops.map((op) => prunableOp(op, options.rules)), ...(options.ops ? [] : (options.rules?.keys() ?? []))],
    ...(options.rules ? { rules: options.rules } : {}),
    only: options.only ?? [],
    ignore: options.ignore ?? [],
    minimumSize,
    overrides,
  };
}

/** Refuses a scope or normalization that the table rules out; defaults are no choice. @throws OPTION_CONFLICT. */
function checkDependent(options: Readonly<Record<'granularity' | 'scope' | 'normalize', string>>): void {
  const { granularity, scope, normalize } = pruneOptions;
  const table: Options = { granularity, scope, normalize };
  const usual = resolveOptions('prune', table, {});
  resolveOptions(
    'prune',
    table,
    Object.fromEntries(Object.entries(options).filter(([name, value]) => value !== usual[name])),
  );
}

function goalOf(granularity: Granularity, sparsity: number | undefined): number | Pattern {
  if (granularity === 'weight') return checkGoal(sparsity, 'prune.sparsity');
  const share = patternSparsity(granularity);
  if (sparsity !== undefined && Math.abs(sparsity - share) > 1e-9) {
    throw sparsityBesidePattern(sparsity, patternText(granularity), share);
  }
  return granularity;
}

function checkGoal(goal: number | Pattern | undefined, where: string): number | Pattern {
  if (typeof goal === 'object') return checkGranularity(goal) as Pattern; // an object is never 'weight'
  if (typeof goal !== 'number' || !(goal >= 0 && goal <= 1)) throw badSparsity(where, goal);
  return goal;
}

function prunableOp(op: string, rules: AxisRules | undefined): string {
  const known: readonly string[] = [...prunableOps, ...(rules?.keys() ?? [])];
  if (!known.includes(op)) throw unknownOp(op, known);
  return op;
}

/** Values of the `pruneOptions` table, as resolved from a recipe or a command line. */
export type WrittenPruneOptions = Resolved<typeof pruneOptions>;

/**
 * Driver options from the resolved values of the `pruneOptions` table.
 * @throws PRUNE_GRANULARITY, PRUNE_OVERRIDE, PRUNE_SPARSITY.
 */
export function readPruneOptions(written: WrittenPruneOptions, pruner: Pruner): PruneOptions {
  const { sparsity, granularity: text, overrides, ops, ...rest } = written;
  const granularity = readGranularity(text);
  // Beside a pattern the table's default is what stands there when nothing was written.
  const silent = granularity !== 'weight' && sparsity === pruneOptions.sparsity.default;
  return {
    ...rest,
    pruner,
    granularity,
    ...(silent ? {} : { sparsity }),
    ...(ops === usualOps ? {} : { ops }), // by default custom ops join them
    overrides: Object.fromEntries(overrides.map(readOverride)),
  };
}

function readOverride([pattern, goal]: readonly [string, string]): readonly [string, number | Pattern] {
  if (/^\d+:\d+$/.test(goal)) return [pattern, readGranularity(goal) as Pattern]; // the form was just checked
  if (Number.isNaN(Number(goal))) throw badOverride(`${pattern}=${goal}`);
  return [pattern, Number(goal)];
}
