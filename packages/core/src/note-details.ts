/** The stored form of the weights of a node, and how it computes. */
export interface StorageDetails {
  /** Bits of a weight. */
  readonly weightBits?: number;
  /** Bits of a weight that is stored in few bits and computed with in float. */
  readonly storedBits?: number;
  /** The part that shares a scale: tensor, channel, row or block. For zeros: the part that was pruned together. */
  readonly granularity?: string;
  /** Weights that share a scale, where they are in blocks. */
  readonly block?: number;
  readonly activationBits?: number;
  /** The numbers that it computes on: integer, or a type of floats. */
  readonly compute?: string;
  /** The attribute of MatMulNBits. */
  readonly accuracyLevel?: number;
  /** Weights that became 0 because the type has nothing so small. */
  readonly flushed?: number;
}

/** The zeros of a weight. */
export interface ZeroDetails {
  /** Share of zeros, 0 to 1. */
  readonly sparsity?: number;
  readonly elements?: number;
  readonly zeros?: number;
  readonly zerosBefore?: number;
}

/** A group of units that can be removed together. */
export interface UnitDetails {
  /** Id of the group. */
  readonly group?: string;
  readonly units?: number;
  /** Indices of its first weight for each unit. */
  readonly each?: number;
  /** Ids of the nodes that make its units. */
  readonly layers?: readonly string[];
  readonly attention?: 'head' | 'head-dimension';
  /** Units before and after the step. */
  readonly before?: number;
  readonly after?: number;
}

/** A residual branch. */
export interface BranchDetails {
  /** Id of the branch. */
  readonly branch?: string;
  /** The constants in it. */
  readonly weights?: readonly string[];
  readonly score?: number;
}

/** A layer whose weights were fitted to the inputs that are left. */
export interface FitDetails {
  readonly inputs?: number;
  /** Share of the variance of its output that the fit does not explain. */
  readonly unexplained?: number;
}

/**
 * Figures of a note for programs that read reports. Algorithms of third parties may add their own under other names;
 * declaration merging gives them a type.
 */
export interface NoteDetails extends StorageDetails, ZeroDetails, UnitDetails, BranchDetails, FitDetails {
  readonly [name: string]: unknown;
}
