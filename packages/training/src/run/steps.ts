import type { Tensor } from '@espalier/core';
import type { RunState } from './run-state.js';

/** The tensors that a step changes. */
export type Moving = Pick<RunState, 'weights' | 'optimizer'>;

/** Steps of one graph, in whichever memory their tensors are. */
export interface Steps {
  /** Runs one step of the weights and optimizer tensors of a state; its maps stay these while tensors stay elsewhere. */
  step(from: Moving, feeds: ReadonlyMap<string, Tensor>): Promise<Moving & { readonly loss: number }>;
  /** The result of the steps from these maps, as new maps; the same maps if they are up to date. */
  settled(from: Moving): Promise<Moving>;
  close(): Promise<void>;
}
