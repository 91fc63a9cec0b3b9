import type { DType } from './dtype.js';
import type { Range } from './evidence.js';
import type { Graph, Node } from './graph.js';

/** Types of the integers (codes) that stand for quantized numbers. */
export type CodeType = Extract<DType, 'int2' | 'uint2' | 'int4' | 'uint4' | 'int8' | 'uint8' | 'int16' | 'uint16'>;

/** One type of codes that a target reads. */
export interface TargetCodes {
  readonly type: CodeType;
  /** Whether integer kernels compute on them. Other codes are decoded, and the op computes in float. */
  readonly fused: boolean;
  /** Zero points that are allowed: any code, or only the middle (0 for `int8`, 128 for `uint8`). */
  readonly zeroPoint: 'any' | 'middle';
}

/** An op whose inputs and outputs have fixed scales, as a target computes it on integers. */
export interface IntegerKernel {
  /**
   * The parts of a constant weight that may have a scale of their own: each output channel, each output channel unless the weight
   * is a stack of matrices, or only the whole tensor. Default: `tensor`.
   */
  readonly weightScales?: 'channel' | 'matrix-channel' | 'tensor';
  /** Whether the op is worth its integer kernel whenever its inputs are integers, even if its reader is not. */
  readonly eager?: boolean;
  /** Whether the kernel can write its result in float. Others need a quantized output. */
  readonly floatOutput?: boolean;
  /** The range that the output grid has to cover, where the kernel prescribes it: 0..255/256 for a TFLite softmax. */
  readonly range?: Range;
  /** Why the kernel does not take this node; undefined where it does. */
  readonly obstacle?: (node: Node, graph: Graph) => string | undefined;
}

/** An op that computes on integers with scales found at run time. */
export interface DynamicKernel {
  /** The parts of the weight that may have a scale of their own. */
  readonly weightScales: 'channel' | 'tensor';
  /** Why the kernel does not take this node; undefined where it does. */
  readonly obstacle?: (node: Node, graph: Graph) => string | undefined;
}

/** An op that reads weights of few bits, packed into bytes, with a scale for each block. */
export interface PackedKernel {
  readonly bits: readonly number[];
  /** Weights in a block. */
  readonly blocks: readonly number[];
  /** Whether a block may have a zero point of its own. */
  readonly zeroPoints: boolean;
}

/**
 * The abilities of a runtime, as a table. Quantizers write only what the table has. Ops have the names of the graph; an
 * exporter translates them.
 */
export interface Target {
  /** The name of the runtime in messages. */
  readonly name: string;
  /** The newest operator set that it runs, by domain (`''` is ONNX's own); domains that are missing it does not know. */
  readonly opsets: ReadonlyMap<string, number>;
  /** Integer arithmetic with fixed scales: a node between DequantizeLinear and QuantizeLinear. */
  readonly integer: {
    readonly activations: readonly TargetCodes[];
    readonly weights: readonly TargetCodes[];
    /** Whether zero points of the channels of a weight may differ from each other. */
    readonly channelZeroPoints: 'equal' | 'any';
    /** Ops with an integer kernel. */
    readonly kernels: Readonly<Record<string, IntegerKernel>>;
    /** Activations that an op takes over where its output grid clips just as they do. */
    readonly tails: readonly string[];
    /**
     * Ops that the runtime computes on integers by itself wherever they stand between DequantizeLinear and
     * QuantizeLinear, quantizing their float weights as it likes. Default: none.
     */
    readonly requantized?: readonly string[];
    /** The stored form of a bias: int32 with the product of the scales of activation and weight, or in float. */
    readonly bias: 'int32-product' | 'float';
  };
  /** Ops that compute on integers with scales found at run time, such as MatMulInteger. */
  readonly dynamic: Readonly<Record<string, DynamicKernel>>;
  /** Ops that read packed weights, such as com.microsoft::MatMulNBits. */
  readonly packed: Readonly<Record<string, PackedKernel>>;
  /**
   * Constants that are stored as codes and restored (Cast, Mul) when the file is loaded, so that ops on floats lose
   * nothing; absent where they would be restored at every run.
   */
  readonly storage?: { readonly types: readonly CodeType[]; readonly scales: 'channel' | 'tensor' };
}
