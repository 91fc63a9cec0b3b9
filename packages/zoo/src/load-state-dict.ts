import { type DType, fromNumbers, type Graph, isFloat, type Tensor, toFloats } from '@espalier/core';
import { otherNames, wrongShape } from './errors.js';
import { stateDict } from './state-dict.js';

/** The result of loading a state dict. */
export interface LoadedStateDict {
  readonly graph: Graph;
  /** Weights of the model that the state dict lacks; they keep their values. */
  readonly missing: readonly string[];
  /** Tensors of the state dict that the model lacks. */
  readonly unexpected: readonly string[];
}

/** Options for loading a state dict. */
export interface LoadOptions {
  /** Whether missing and unexpected names are errors. Default: true. */
  readonly strict?: boolean;
}

/**
 * The graph with the tensors of a PyTorch-style state dict in place of its float constants, matched by name. Tensors
 * of the right dtype are taken by reference, other floats are converted; `num_batches_tracked` is ignored, since
 * inference does not read it.
 * @throws STATE_DICT_SHAPE where a shape or kind of dtype differs; STATE_DICT_NAMES where names differ, if strict.
 */
export function loadStateDict(
  graph: Graph,
  tensors: ReadonlyMap<string, Tensor>,
  { strict = true }: LoadOptions = {},
): LoadedStateDict {
  const wanted = stateDict(graph);
  const missing = [...wanted.keys()].filter((name) => !tensors.has(name));
  const unexpected = [...tensors.keys()].filter((name) => !wanted.has(name) && !isCounter(name));
  if (strict && missing.length + unexpected.length > 0) throw otherNames(missing, unexpected);
  const constants = new Map(graph.constants);
  for (const [name, { dtype, shape }] of wanted) {
    const given = tensors.get(name);
    if (!given) continue;
    if (!isFloat(given.dtype) || given.shape.join() !== shape.join())
      throw wrongShape(name, { expected: `${dtype}[${shape}]`, found: `${given.dtype}[${given.shape}]` });
    constants.set(name, converted(given, dtype));
  }
  return { graph: { ...graph, constants }, missing, unexpected };
}

const isCounter = (name: string): boolean => name === 'num_batches_tracked' || name.endsWith('.num_batches_tracked');

const converted = (source: Tensor, dtype: DType): Tensor =>
  source.dtype === dtype ? source : fromNumbers(dtype, source.shape, toFloats(source));
