import type { Tensor } from '@espalier/core';
import { writeSafetensors } from '@espalier/safetensors';
import type { RunState } from '../run/run-state.js';
import { type StateText, stateKey } from './state-text.js';

/**
 * A run's state as one safetensors file: tensors under `weights/`, `optimizer/`, `masks/`, `dense/`, `memory/`, `best/`
 * and `kept/NUMBER/`,
 * everything else as JSON in its metadata. One file is one unit: it is there whole or not at all.
 */
export function writeState(state: RunState, fingerprint: string): readonly Uint8Array[] {
  const tensors = new Map<string, Tensor>();
  const put = (folder: string, from: ReadonlyMap<string, Tensor>) => {
    for (const [name, value] of from) tensors.set(`${folder}/${name}`, value);
  };
  put('weights', state.weights);
  put('optimizer', state.optimizer);
  put('masks', state.masks);
  put('dense', state.dense);
  put('memory', state.memory);
  if (state.best) put('best', state.best.weights);
  const kept = [...state.kept.keys()];
  for (const [i, name] of kept.entries()) put(`kept/${i}`, state.kept.get(name)!);
  const { step, phase, phaseStep, sparsity, frozen, stale, lossSum, lossCount, history, best, stopped } = state;
  const text: StateText = {
    espalierCheckpoint: 1,
    fingerprint,
    step,
    phase,
    phaseStep,
    sparsity,
    frozen,
    kept,
    stale,
    lossSum,
    lossCount,
    history,
    ...(best ? { best: { step: best.step, metrics: best.metrics } } : {}),
    ...(stopped ? { stopped } : {}),
  };
  return writeSafetensors({ tensors, metadata: new Map([[stateKey, JSON.stringify(text)]]) });
}
