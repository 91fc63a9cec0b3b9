import type { AxisRule } from './axis-rule.js';
import type { GraphBuilder } from './build-graph.js';
import type { Compressor } from './compressor.js';
import type { DatasetLoader } from './dataset.js';
import type { Evidence, Histogram, Need, Range } from './evidence.js';
import type { Executor } from './executor.js';
import type { Files } from './files.js';
import type { Graph, ValueId, ValueInfo } from './graph.js';
import type { Use } from './graph-index.js';
import type { Tensor } from './tensor.js';

/** A lossless rewrite: the same function, another graph. Returns the very same object when nothing changed. */
export type Pass = (graph: Graph) => Graph;

/** The range a schedule covers. Used for any option the schedule leaves unset. */
export interface Span {
  /** Steps from the beginning to the end. */
  readonly steps: number;
  /** Steps in one pass over the data. */
  readonly epoch?: number;
  /** Where the driver wants it to begin and to end: a learning rate and 0, or 0 and a sparsity. */
  readonly from?: number;
  readonly to?: number;
}

/** A number that depends on the training step alone, and on the span if one is passed. */
export type Schedule = (step: number, span?: Span) => number;

/** Reads a model file. */
export interface Importer {
  /** File name endings, without the dot. */
  readonly extensions: readonly string[];
  /** Whether the first bytes of a file (up to 64) look like this format. */
  recognises(head: Uint8Array): boolean;
  /** Reads the model at `path`; further files are looked up beside it. */
  read(files: Files, path: string): Promise<Graph>;
}

/** Writes a model file. */
export interface Exporter {
  /** File name ending, without the dot. */
  readonly extension: string;
  /** Writes the model at `path`, and whatever must stand beside it. Returns every path written. */
  write(graph: Graph, files: Files, path: string): Promise<readonly string[]>;
}

/** The integers that a tensor is mapped to. `narrow` leaves out the lowest one (-127..127), as weights do. */
export interface Grid {
  /** Width of an integer, 1 to 16. */
  readonly bits: number;
  readonly signed: boolean;
  /** Whether the zero point is fixed in the middle. */
  readonly symmetric: boolean;
  readonly narrow?: boolean;
}

/** Chooses the range of real numbers that a grid covers (a range estimator), from what calibration saw. */
export interface Observer {
  /** The number of histogram bins it reads; 0 if the smallest and largest value are enough. */
  readonly bins: number;
  /** The range to cover; `histogram` is given when `bins` is not 0. The driver makes it contain zero. */
  range(seen: { readonly range: Range; readonly histogram?: Histogram }, grid: Grid): Range;
}

/** One line of a report: what became of a tensor or node, and why. */
export interface Note {
  /** Id of the node it is about. */
  readonly node?: string;
  readonly op?: string;
  readonly value?: ValueId;
  readonly outcome: 'quantized' | 'pruned' | 'float' | 'kept' | 'warning';
  /** A plain sentence for a person. */
  readonly reason: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** A graph with the account of how it came about. */
export interface Outcome {
  readonly graph: Graph;
  readonly notes: readonly Note[];
}

/** Turns a float graph into a quantized one. */
export interface Quantizer {
  /** The statistics that calibration must collect; none for data-free quantizers. */
  needs(graph: Graph): readonly Need[];
  quantize(graph: Graph, evidence: Evidence): Outcome;
}

/** A weight tensor to be scored, and the node that reads it. */
export interface PruneTarget {
  readonly value: ValueId;
  readonly weight: Tensor;
  /** Id and op of the node that reads the weight first. */
  readonly node: string;
  readonly op: string;
}

/** The part of one constant that goes with the units of a group, as a score sees it. */
export interface UnitSlice {
  readonly value: ValueId;
  readonly weight: Tensor;
  readonly axis: number;
  /** Unit after unit: `indices[unit * each + i]`. */
  readonly indices: Int32Array;
  /** Indices per unit. */
  readonly each: number;
  /** `produces`: the weight makes the units. `sums`: a layer sums over them. `keeps`: neither (variances, divisors). */
  readonly role: 'produces' | 'sums' | 'keeps' | 'inner';
  /** Whether the weight is among those that the user lets count; a score of weights leaves the others. */
  readonly counts: boolean;
  /** The nodes that read the constant, and at which input. */
  readonly readers: readonly Use[];
}

/** Where the indices of an activation value are those of the units of a group. */
export interface UnitPlace {
  readonly value: ValueId;
  readonly axis: number;
  /** Unit after unit: `indices[unit * each + i]`. */
  readonly indices: Int32Array;
  /** Indices per unit. */
  readonly each: number;
}

/** A group of units to be scored: what can only be removed together. */
export interface UnitTarget {
  readonly group: string;
  readonly units: number;
  /** Slices that produce the units come first. */
  readonly slices: readonly UnitSlice[];
  /** Where layers that sum over the units read them, by node and input. Through these the units act on the output. */
  readonly inputs: readonly (UnitPlace & { readonly node: string; readonly slot: number })[];
  /** The same values as they were before pooling and reshaping, each once: what the units' activations are. */
  readonly activations: readonly UnitPlace[];
}

/** Scores single weights; the pruning driver does the rest. */
export interface WeightScorer {
  needs(graph: Graph, targets: readonly PruneTarget[]): readonly Need[];
  /** One score per element, row-major, finite and at least 0; the smallest are pruned first. */
  score(target: PruneTarget, evidence: Evidence): Float32Array;
}

/** Scores whole units: channels, neurons, heads. */
export interface UnitScorer {
  /** Set where the weights play no part, so that a choice of weights would be ignored and is refused. */
  readonly weightless?: boolean;
  needs(graph: Graph, targets: readonly UnitTarget[]): readonly Need[];
  /** One score per unit, finite and at least 0; undefined for a group that it cannot judge, which is left. */
  score(target: UnitTarget, evidence: Evidence): Float64Array | undefined;
}

/**
 * Says how much each weight matters, or each unit. Without `units` the scores of a unit's weights are combined;
 * without `score` only whole units can be pruned.
 */
export type Pruner =
  | (WeightScorer & { readonly units?: UnitScorer })
  | { readonly units: UnitScorer; readonly needs?: never; readonly score?: never };

/** Values of the model that a loss may use. */
export interface LossSite {
  /** Type of the model's output. */
  readonly output: ValueInfo;
  /** Type of any value of the model; undefined when it is not known. */
  info(value: ValueId): ValueInfo | undefined;
}

/** The points `step`·i for the whole numbers i = lowest..highest. */
export interface RoundingGrid {
  readonly step: number;
  readonly lowest: number;
  readonly highest: number;
}

/** Rows of weights to be put on grids such that what a layer computes moves as little as possible. */
export interface RoundingProblem {
  /** Row-major [rows, size]; finite. */
  readonly weight: Float64Array;
  readonly rows: number;
  readonly size: number;
  /** XᵀX of the inputs that each row is multiplied by, or a positive multiple of it; [size, size], symmetric. */
  readonly gram: Float64Array;
  /** One grid per row. */
  readonly grids: readonly RoundingGrid[];
}

/** Rounds weights: one whole number of its row's grid per weight, [rows, size]. Arguments are not changed. */
export type Rounding = (problem: RoundingProblem) => Int32Array;

/** A training loss: appends itself to a graph and returns a scalar, the mean over the batch. */
export interface Loss {
  /** `logits` where the loss has a softmax of its own: a Softmax that ends the model is then left out. */
  readonly reads?: 'logits';
  /** Type of the target; that of the output when left out. */
  target?(site: LossSite): ValueInfo;
  /** Further inputs that are fed at each step (a teacher's logits), by name. */
  inputs?(site: LossSite): ReadonlyMap<string, ValueInfo>;
  /** The teacher's values for them: by the name of the input, a value of the teacher, or `output`, its first output. */
  readonly teacher?: ReadonlyMap<string, { readonly value: ValueId } | 'output'>;
  build(
    builder: GraphBuilder,
    of: { readonly output: ValueId; readonly target: ValueId; readonly inputs?: ReadonlyMap<string, ValueId> },
  ): ValueId;
}

/** One parameter at one step: values of a graph under construction. */
export interface OptimizerInput {
  readonly parameter: ValueId;
  readonly gradient: ValueId;
  /** One value per name in `Optimizer.state`, each of the parameter's shape. */
  readonly state: ReadonlyMap<string, ValueId>;
  /** float32 scalar. */
  readonly learningRate: ValueId;
  /** float32 scalar that counts from 1. */
  readonly step: ValueId;
  /** Factor on the optimizer's weight decay; usually 1 for weights, 0 for biases and the scales of norms. */
  readonly decay: number;
}

/** An optimizer as a graph builder: appends the update of one parameter. */
export interface Optimizer {
  /** Names of the tensors kept per parameter; they have the parameter's shape and begin as zeros. */
  readonly state: readonly string[];
  /** Where the learning rate begins, if it was said here and not to the trainer; updates read it from their input. */
  readonly learningRate?: number;
  update(
    builder: GraphBuilder,
    of: OptimizerInput,
  ): { readonly parameter: ValueId; readonly state: ReadonlyMap<string, ValueId> };
}

/**
 * Every kind of plugin and what its `create` returns. A third party adds a kind by declaration merging:
 * `declare module '@espalier/core' { interface Kinds { mine: Mine } }`.
 */
export interface Kinds {
  pass: Pass;
  import: Importer;
  export: Exporter;
  executor: Executor;
  observer: Observer;
  quantizer: Quantizer;
  pruner: Pruner;
  /** Removes or zeroes weights: what goes together is its own choice. */
  pruning: Compressor;
  rounding: Rounding;
  schedule: Schedule;
  dataset: DatasetLoader;
  loss: Loss;
  optimizer: Optimizer;
  /** An architecture with its first weights; a reference architecture's `create` returns the whole model. */
  model: Graph;
  /** The axis rule of a custom op; the plugin's id is the name of the op (`acme::Scale`). */
  axes: AxisRule;
}

/** The name of a kind of plugin. */
export type Kind = keyof Kinds;
