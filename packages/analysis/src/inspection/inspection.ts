import type { Dim, DType } from '@espalier/core';
import type { ActivationMemory, UnknownCost } from '../costs/costs.js';

/** An input or output as reports show it. A dimension without a known size is a name. */
export interface PortSummary {
  readonly name: string;
  readonly dtype: DType | null;
  readonly shape: readonly Dim[] | null;
}

/** One layer of an inspection; null where a number is not known. */
export interface LayerSummary {
  readonly node: string;
  readonly op: string;
  readonly weight: string | null;
  readonly weightShape: readonly number[] | null;
  readonly parameters: number;
  readonly nonZero: number;
  readonly bytes: number;
  readonly macs: number | null;
  readonly bops: number | null;
  readonly weightBits: number | null;
  readonly activationBits: number | null;
}

/** The facts about a model, as plain JSON. MACs, BOPs and activation bytes are those of one sample (see `Costs`). */
export interface Inspection {
  readonly format: string;
  readonly name: string;
  /** Version of the standard operator set. */
  readonly opset: number;
  /** Versions of all operator sets, by domain. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly producer: string | null;
  readonly inputs: readonly PortSummary[];
  readonly outputs: readonly PortSummary[];
  /** Number of nodes, those of subgraphs included. */
  readonly nodes: number;
  readonly parameters: number;
  readonly nonZero: number;
  /** Size of the file where it was given, else of all constants. */
  readonly bytes: number;
  /** Bytes of all constants. */
  readonly weightBytes: number;
  /** Null when some node could not be counted; then `knownMacs` is what could be, and `unknown` says why. */
  readonly macs: number | null;
  /** The fewest that a run may take: less than `macs` where an If has branches of different cost. */
  readonly leastMacs: number | null;
  readonly bops: number | null;
  readonly knownMacs: number;
  readonly unknown: readonly UnknownCost[];
  /** Nodes that were counted under an assumption. */
  readonly assumed: readonly UnknownCost[];
  readonly activations: ActivationMemory;
  /** Number of nodes of each op, most frequent first. */
  readonly ops: Readonly<Record<string, number>>;
  /** Bytes of constants by dtype. */
  readonly dtypes: Readonly<Record<string, number>>;
  readonly layers: readonly LayerSummary[];
  /** Sizes put in for symbolic dimensions. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly warnings: readonly string[];
}
