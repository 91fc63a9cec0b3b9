/** The cost of one node. */
export interface LayerCost {
  /** Id of the node. */
  readonly node: string;
  readonly op: string;
  /** The constant that holds its weight, where it has one. */
  readonly weight?: string;
  /** Parameters it is the first to read; a shared tensor counts once. */
  readonly parameters: number;
  /** Parameters that are not exactly zero. */
  readonly nonZero: number;
  /** Bytes of all constants it is the first to read, scales and zero points included. */
  readonly bytes: number;
  /** Multiply-accumulates; undefined when a shape is not known. 0 for ops that contract nothing. */
  readonly macs: number | undefined;
  /** Set where a run may take fewer: an If whose branches differ counts the costlier one in `macs`. */
  readonly leastMacs?: number;
  /** Bit operations: MACs · bits of a weight · bits of an activation. */
  readonly bops: number | undefined;
  readonly weightBits: number | undefined;
  readonly activationBits: number | undefined;
  /** Bytes of its outputs; undefined when a shape is not known. */
  readonly outputBytes: number | undefined;
}

/** A node whose cost could not be counted. */
export interface UnknownCost {
  readonly node: string;
  readonly op: string;
  readonly reason: string;
}

/** The most memory that activations take at one time. */
export interface ActivationMemory {
  /** Largest sum of bytes of values that are alive together; values of unknown size are left out. */
  readonly peakBytes: number;
  /** Id of the node that runs at that moment. */
  readonly node: string | undefined;
  /** Values whose size is not known. */
  readonly unknown: readonly string[];
}

/**
 * The cost of a model, for one run of one sample (or of the batch size that the file fixes).
 *
 * MACs count the products of convolutions, matrix products, recurrent layers and attention; one MAC is one
 * multiplication and one addition (2 FLOPs). Element-wise ops, norms and pooling are not counted. BOPs are
 * MACs · b_w · b_a (Wang et al. 2020, arXiv 2005.07093, and most later papers); others add the accumulator,
 * MACs · (b_a·b_w + b_a + b_w + log₂ n) (Baskin et al. 2018, arXiv 1804.10969), and some scale by the share of
 * non-zero weights: multiply by `nonZero / parameters` of a layer for that.
 */
export interface Costs {
  readonly parameters: number;
  readonly nonZero: number;
  /** Bytes of all constants, used or not. */
  readonly bytes: number;
  /** Undefined when some node is in `unknown`. */
  readonly macs: number | undefined;
  /** The fewest that a run may take: less than `macs` where branches differ. */
  readonly leastMacs: number | undefined;
  readonly bops: number | undefined;
  /** The part of `macs` that could be counted. */
  readonly knownMacs: number;
  readonly knownBops: number;
  readonly unknown: readonly UnknownCost[];
  /** Nodes that were counted under an assumption, with the assumption as reason. */
  readonly assumed: readonly UnknownCost[];
  /** Every node, in topological order. */
  readonly nodes: readonly LayerCost[];
  /** The nodes that multiply or hold parameters. */
  readonly layers: readonly LayerCost[];
  readonly activations: ActivationMemory;
  /** Sizes that were put in for symbolic dimensions. */
  readonly sizes: Readonly<Record<string, number>>;
}
