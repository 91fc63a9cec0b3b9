import {
  type Evidence,
  type Need,
  noEvidence,
  type Pruner,
  type PruneTarget,
  sizeOf,
  toFloats,
  type UnitScorer,
  type UnitTarget,
  usesOf,
} from '@espalier/core';
import { roleOf } from '@espalier/ops';
import { badScores, badWeight, uselessBesideUnits } from '../errors.js';
import { weightScorerOf } from '../weight-scorer-of.js';
import type { CoupledGraph } from './coupled.js';
import type { Group, Slice } from './group.js';
import { unitTargets } from './unit-targets.js';

/** The rules by which units get their scores. */
export interface UnitScoring {
  /** Scores whole units, or else each weight; then those of a unit are combined. */
  readonly pruner: Pruner;
  /**
   * Which weights of a unit count, where weights do: those that make it and those that read it (`all`, the default), the first alone
   * (`producers`), or the scales of its batch norms (`batch-norm`; Liu et al. 2017, arXiv 1708.06519).
   */
  readonly weights?: 'all' | 'producers' | 'batch-norm';
  /** For scores of weights, over those of a unit: their sum (as for norms, the default), mean, or largest. */
  readonly reduce?: 'sum' | 'mean' | 'max';
}

/** One score per unit, by group; groups without a weight that counts, and those the pruner cannot judge, are missing. */
export type UnitScores = ReadonlyMap<Group, Float64Array>;

/** The statistics that `scoreUnits` needs. @throws PRUNE_OPTION. */
export function unitNeeds(net: CoupledGraph, groups: readonly Group[], scoring: UnitScoring): readonly Need[] {
  const { pruner, weights = 'all' } = scoring;
  if (!pruner.units) return weightScorerOf(pruner).needs(net.graph, countedWeights(net, groups, weights));
  return pruner.units.needs(net.graph, [...judged(net, groups, { ...scoring, scorer: pruner.units }).values()]);
}

/** The groups that a scorer of whole units is asked about. @throws PRUNE_OPTION for options that mean nothing to it. */
function judged(
  net: CoupledGraph,
  groups: readonly Group[],
  scoring: Omit<UnitScoring, 'pruner'> & { readonly scorer: UnitScorer },
): ReadonlyMap<Group, UnitTarget> {
  const { scorer, weights = 'all', reduce = 'sum' } = scoring;
  if (reduce !== 'sum') throw uselessBesideUnits('reduce', reduce);
  if (scorer.weightless && weights !== 'all') throw uselessBesideUnits('weights', weights);
  const asked = groups.filter(({ slices }) => scorer.weightless || slices.some((each) => counts(net, each, weights)));
  return unitTargets({ net, groups: asked, counts: (each) => counts(net, each, weights) });
}

/** The weights that a scorer of weights is asked about. */
function countedWeights(
  net: CoupledGraph,
  groups: readonly Group[],
  weights: NonNullable<UnitScoring['weights']>,
): readonly PruneTarget[] {
  const targets = new Map<string, PruneTarget>();
  for (const { slices } of groups) {
    for (const slice of slices) {
      if (!counts(net, slice, weights) || targets.has(slice.value)) continue;
      const { id: node, op } = usesOf(net.graph, slice.value)[0]!.node; // a slice is related by a reader
      targets.set(slice.value, { value: slice.value, weight: net.scored(slice.value)!, node, op }); // it counts, so there is one
    }
  }
  return [...targets.values()];
}

// Biases and shifts say little of what a unit is worth: vectors count only where they are scales.
function counts(
  { graph, scored }: CoupledGraph,
  { value, role }: Slice,
  weights: NonNullable<UnitScoring['weights']>,
): boolean {
  const { shape } = graph.constants.get(value)!; // slices are of constants
  if (weights === 'batch-norm') {
    return usesOf(graph, value).some(({ node, slot }) => node.op === 'BatchNormalization' && slot === 1);
  }
  const is = roleOf(graph, value);
  if (shape.filter((size) => size > 1).length < 2 || is === 'scale' || !scored(value)) return false;
  // Codes in blocks keep what they are when their scales are masked; they make the unit all the same.
  return role === 'produces' || (role === 'keeps' && is === 'code') || (role === 'sums' && weights === 'all');
}

/**
 * Scores every unit of the given groups: by the pruner's own scores of units, or else by its scores of their weights,
 * summed, averaged or their largest. With `magnitude({ norm: 'l2' })` and sums this is the squared l2 norm of the unit
 * (Li et al. 2017, arXiv 1608.08710, over coupled layers: Fang et al. 2023, arXiv 2301.12900).
 * @throws PRUNE_SCORES when the pruner breaks its contract, PRUNE_OPTION for options that mean nothing to it.
 */
export function scoreUnits(
  net: CoupledGraph,
  groups: readonly Group[],
  scoring: UnitScoring,
  evidence: Evidence = noEvidence,
): UnitScores {
  const scorer = scoring.pruner.units;
  const scores = scorer
    ? scoresOfUnits(judged(net, groups, { ...scoring, scorer }), scorer, evidence)
    : combinedScores(net, groups, scoring, evidence);
  for (const [{ id }, own] of scores) {
    const wrong = own.findIndex((score) => !(score >= 0 && score < Number.POSITIVE_INFINITY));
    if (wrong >= 0) throw badScores(id, { expected: 'finite scores of at least 0', found: `${own[wrong]}` });
  }
  return scores;
}

function scoresOfUnits(targets: ReadonlyMap<Group, UnitTarget>, scorer: UnitScorer, evidence: Evidence): UnitScores {
  const scores = new Map<Group, Float64Array>();
  for (const [group, target] of targets) {
    const own = scorer.score(target, evidence);
    if (!own) continue;
    if (own.length !== group.units)
      throw badScores(group.id, { expected: `${group.units} scores`, found: `${own.length}` });
    scores.set(group, own);
  }
  return scores;
}

function combinedScores(
  net: CoupledGraph,
  groups: readonly Group[],
  { pruner, weights = 'all', reduce = 'sum' }: UnitScoring,
  evidence: Evidence,
): UnitScores {
  const scorer = weightScorerOf(pruner);
  const readers = new Map<string, (readonly [Group, Slice])[]>();
  for (const group of groups) {
    for (const slice of group.slices) {
      if (!counts(net, slice, weights)) continue;
      const list = readers.get(slice.value);
      if (list) list.push([group, slice]);
      else readers.set(slice.value, [[group, slice]]);
    }
  }
  const scores = new Map<Group, Float64Array>();
  const elements = new Map<Group, number>();
  for (const target of countedWeights(net, groups, weights)) {
    const broken = toFloats(target.weight).findIndex(Number.isNaN);
    if (broken >= 0) throw badWeight(target.value, broken);
    const found = scorer.score(target, evidence);
    const { shape } = target.weight;
    if (found.length !== sizeOf(shape)) {
      throw badScores(target.value, { expected: `${sizeOf(shape)} scores`, found: `${found.length}` });
    }
    const perIndex = new Map<number, Float64Array>();
    for (const [group, slice] of readers.get(target.value) ?? []) {
      const sums = perIndex.get(slice.axis) ?? alongAxis(found, shape, { axis: slice.axis, reduce });
      perIndex.set(slice.axis, sums);
      const own = scores.get(group) ?? new Float64Array(group.units);
      scores.set(group, own);
      add(own, sums, slice, reduce);
      elements.set(group, (elements.get(group) ?? 0) + (slice.each * sizeOf(shape)) / shape[slice.axis]!);
    }
  }
  for (const [group, own] of scores) silenceDead(net, group, own);
  if (reduce !== 'mean') return scores;
  for (const [group, own] of scores) {
    const count = elements.get(group)!; // set beside the scores
    for (let i = 0; i < own.length; i++) own[i]! /= count;
  }
  return scores;
}

/** Sets the scores of units to 0 that all their makers keep at zero: they do nothing, however large their readers are. */
function silenceDead({ scored }: CoupledGraph, { slices, units }: Group, own: Float64Array): void {
  const alive = new Uint8Array(units);
  for (const { value, axis, indices, each, role } of slices) {
    if (role !== 'produces') continue;
    const weight = scored(value);
    if (!weight) return;
    const largest = alongAxis(toFloats(weight).map(Math.abs), weight.shape, { axis, reduce: 'max' });
    for (let i = 0; i < indices.length; i++) if (largest[indices[i]!]! > 0) alive[Math.floor(i / each)] = 1;
  }
  for (let unit = 0; unit < units; unit++) if (!alive[unit]) own[unit] = 0;
}

function add(own: Float64Array, sums: Float64Array, { indices, each }: Slice, reduce: UnitScoring['reduce']): void {
  for (let i = 0; i < indices.length; i++) {
    const unit = Math.floor(i / each);
    const score = sums[indices[i]!]!;
    own[unit] = reduce === 'max' ? Math.max(own[unit]!, score) : own[unit]! + score;
  }
}

/** The sum (or the largest) of all elements at each index of an axis. */
function alongAxis(
  scores: Float32Array,
  shape: readonly number[],
  { axis, reduce }: { readonly axis: number; readonly reduce: UnitScoring['reduce'] },
): Float64Array {
  const size = shape[axis]!;
  const block = sizeOf(shape.slice(axis + 1));
  const out = new Float64Array(size);
  let at = 0;
  for (let outer = scores.length / (size * block); outer > 0; outer--) {
    for (let index = 0; index < size; index++) {
      let value = 0;
      const end = at + block;
      if (reduce === 'max') for (; at < end; at++) value = Math.max(value, scores[at]!);
      else for (; at < end; at++) value += scores[at]!;
      out[index] = reduce === 'max' ? Math.max(out[index]!, value) : out[index]! + value;
    }
  }
  return out;
}
