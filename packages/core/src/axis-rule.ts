import type { Attribute } from './attribute.js';
import type { Dim, Node, ValueId } from './graph.js';
import type { Tensor } from './tensor.js';

/** One axis of one value: its indices are the coordinates `start` to `start + size - 1`. */
export interface Axis {
  readonly start: number;
  readonly size: number;
}

/**
 * A fact about a class of coordinates: `products` when it numbers independent products, such as attention heads;
 * `statistics` when a mean or variance is taken over it; `inner` when its indices are places within units.
 */
export type Mark = 'products' | 'statistics' | 'inner';

/**
 * The effect on the indices of a constant if their unit is masked. `produces`: they are set to zero, so that the
 * unit is constant from there on. `sums`: a layer sums over them, so a unit of zeros adds nothing. `keeps`: neither
 * (divisors, exponents, variances, scales of quantizers). `inner`: its indices are places within a unit, never units
 * (positions of a kernel).
 */
export type Role = 'produces' | 'sums' | 'keeps' | 'inner';

/** An input or output of a node: its shape, and its axes. */
export interface AxisPort {
  readonly value: ValueId;
  /** Sizes, with stand-ins for those that have names: how axes relate does not depend on them. */
  readonly shape: readonly number[];
  /** The same with the names. */
  readonly dims: readonly Dim[];
  /** Handles of the axes, to be given to the methods of a site. */
  readonly axes: readonly Axis[];
  /** The tensor, where the value is a constant. */
  readonly constant: Tensor | undefined;
}

/**
 * One node, as a rule sees it, and the words in which the rule says which indices of its inputs and outputs are the
 * same thing. What is the same is removed together or not at all. An axis that a rule says nothing about is cut
 * without this node noticing, so every axis of every input and output is to be related or pinned.
 *
 * Rules are only asked where the shapes of all inputs and outputs are known; omitted ones are `undefined`.
 */
export interface AxisSite {
  readonly node: Node;
  /** Version of the operator set of the node's domain; 0 when the graph does not say. */
  readonly opset: number;
  readonly inputs: readonly (AxisPort | undefined)[];
  readonly outputs: readonly (AxisPort | undefined)[];
  /** The elements of a constant input of whole numbers; undefined when it is absent or not constant. */
  numbers(slot: number): readonly number[] | undefined;
  /** The same as far as single elements are constants, of a list whose length is known: `[undefined, 12, 64]`. */
  entries(slot: number): readonly (number | undefined)[] | undefined;
  /** Which entries of the (one-dimensional) output the graph picks; undefined when all may matter. */
  readEntries(): ReadonlySet<number> | undefined;
  /**
   * Every input at the same place as every output, aligned at the last axis; sizes of one are repeated. All that an
   * elementwise op has to say.
   */
  elementwise(): void;
  /**
   * Index i of one axis is index i of the other: a scale per channel is
   * `site.same(scale.axes[0], x.axes[1])`. Axes of different sizes are pinned.
   */
  same(a: Axis, b: Axis): void;
  /**
   * `count` indices of `a` from `fromA` on, every `stepA`-th, are those of `b` from `fromB` on: the second part of a
   * concatenation is `site.run(part.axes[1], y.axes[1], { fromB: 8, count: 4 })`.
   */
  run(a: Axis, b: Axis, span: AxisRun): void;
  /** Index i of `a` is index `of(i)` of `b`: heads of 64 are `site.map(y.axes[2], heads.axes[0], (i) => Math.floor(i / 64))`. */
  map(a: Axis, b: Axis, of: (i: number) => number): void;
  /** All indices of an axis at equal `of(i)` belong together: pairs are `site.tie(axis, (i) => Math.floor(i / 2))`. */
  tie(axis: Axis, of: (i: number) => number): void;
  /** The axis cannot be cut; the reason completes "because ...": `site.pin(axis, 'it is sorted')`. */
  pin(axis: Axis, reason: string): void;
  /** Nothing this node touches can be cut. */
  pinAll(reason: string): void;
  /**
   * `statistics`: a mean or variance is taken over the axis, so that removing zeros changes the result; such groups
   * are cut only when asked for. `products`: the axis numbers independent products, as heads do.
   */
  mark(axis: Axis, mark: Mark): void;
  /**
   * The effect of masking on a constant along an axis. Default: `produces`. Weights that are multiplied and
   * summed over the axis say `sums`; divisors, exponents and the like, which must not become zero, say `keeps`.
   */
  role(port: AxisPort | undefined, axis: number, role: Role): void;
  /**
   * A constant of whole numbers that code weights: masking writes the code of zero, which is `zeroPoint`, one number,
   * one per index of axis `along`, or one per `block` of its indices at every place beside it, and 0 when it is left out.
   */
  coded(port: AxisPort | undefined, zeroPoint?: AxisPort, along?: number, block?: number): void;
  /** The elements of both, in row-major order, are the same: which axes can be cut is settled later. */
  reshape(from: readonly Axis[], to: readonly Axis[]): void;
}

/** The code of zero of a quantized constant: one number, one per index of an axis, or one per block of indices. */
export interface ZeroCode {
  readonly zeroPoint?: Tensor;
  readonly along?: number;
  /** Indices of `along` that share a zero point; those of the other axes have their own then. */
  readonly block?: number;
}

/** Part of a `run`. */
export interface AxisRun {
  readonly fromA?: number;
  readonly stepA?: number;
  readonly fromB?: number;
  readonly count: number;
}

/** The indices of each axis that stay after a cut. */
export interface Kept {
  /** The number of indices that stay. */
  count(axis: Axis): number;
  /** The number of indices below this one that stay. */
  before(axis: Axis, index: number): number;
  /** The indices that are left, ascending. */
  indices(axis: Axis): readonly number[];
}

/** The changes of a node after a cut of its axes. */
export interface Edit {
  readonly attributes?: Readonly<Record<string, Attribute | undefined>>;
  /** New whole-number inputs by slot (shapes, sizes, bounds); `undefined` removes the input. */
  readonly numbers?: ReadonlyMap<number, readonly number[] | undefined>;
  /** New entries of one-dimensional int64 inputs that are computed at run time: by slot, numbers by place. */
  readonly entries?: ReadonlyMap<number, ReadonlyMap<number, number>>;
}

/**
 * The relations between the axes of an op's inputs and outputs, and the edits of the op after a cut. A rule makes two
 * promises: if all slices of a unit in the inputs are zero, so are those in the outputs (or the axis is
 * pinned); and the results of the other units do not change if the unit is removed (or the axis is marked with
 * `statistics`).
 *
 *     // acme::Scale(x [N, C, ...], scale [C]), with C in an attribute
 *     const scale: AxisRule = {
 *       relate(site) {
 *         const [x, scale] = site.inputs;
 *         const [y] = site.outputs;
 *         x!.axes.forEach((axis, i) => site.same(axis, y!.axes[i]!));
 *         site.same(scale!.axes[0]!, x!.axes[1]!);
 *       },
 *       rewrite: (site, kept) => ({ attributes: { channels: int(kept.count(site.inputs[0]!.axes[1]!)) } }),
 *     };
 */
export interface AxisRule {
  relate(site: AxisSite): void;
  /**
   * Whether the op hands on its first input element by element, as quantizers do: a constant there then has the roles
   * of what comes out. Default: false.
   */
  readonly transparent?: boolean;
  /** Asked for every node with an axis that loses indices, before anything is removed; undefined when nothing is to do. */
  rewrite?(site: AxisSite, kept: Kept): Edit | undefined;
}

/** Rules by the name of the op: `acme::Scale`. */
export type AxisRules = ReadonlyMap<string, AxisRule>;
