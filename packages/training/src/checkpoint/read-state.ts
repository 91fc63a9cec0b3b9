import { problem, type Tensor } from '@espalier/core';
import { readSafetensors } from '@espalier/safetensors';
import type { RunState } from '../run/run-state.js';
import { type StateText, stateKey } from './state-text.js';

/**
 * Reads what `writeState` wrote.
 * @throws SAFETENSORS_MALFORMED, CHECKPOINT_MALFORMED for a file that is whole but is no checkpoint.
 */
export function readState(
  bytes: Uint8Array,
  where: string,
): { readonly state: RunState; readonly fingerprint: string } {
  const { tensors, metadata } = readSafetensors(bytes, where);
  const text = parse(metadata.get(stateKey), where);
  const folder = (name: string) => {
    const prefix = `${name}/`;
    const inside = [...tensors].filter(([key]) => key.startsWith(prefix));
    return new Map(inside.map(([key, value]): [string, Tensor] => [key.slice(prefix.length), value]));
  };
  const { espalierCheckpoint: _, fingerprint, kept, best, stopped, ...rest } = text;
  return {
    fingerprint,
    state: {
      ...rest,
      weights: folder('weights'),
      optimizer: folder('optimizer'),
      masks: folder('masks'),
      dense: folder('dense'),
      memory: folder('memory'),
      kept: new Map(kept.map((name, i) => [name, folder(`kept/${i}`)])),
      best: best && { ...best, weights: folder('best') },
      stopped,
    },
  };
}

const counts = ['step', 'phase', 'phaseStep', 'stale', 'lossCount'] as const;
const lists = ['frozen', 'kept', 'history'] as const;

function parse(text: string | undefined, where: string): StateText {
  let value: Partial<Record<keyof StateText, unknown>> = {};
  try {
    value = JSON.parse(text ?? '{}') ?? {};
  } catch {
    // found wanting just below
  }
  const whole =
    value.espalierCheckpoint === 1 &&
    typeof value.fingerprint === 'string' &&
    typeof value.lossSum === 'number' &&
    typeof value.sparsity === 'number' &&
    counts.every((key) => Number.isSafeInteger(value[key]) && (value[key] as number) >= 0) && // a number, as checked
    lists.every((key) => Array.isArray(value[key]));
  if (whole) return value as StateText; // written by writeState, as its version says, and checked for form above
  throw problem('CHECKPOINT_MALFORMED', {
    where,
    expected: 'the state of a run, version 1',
    found: text === undefined ? 'a safetensors file without one' : 'something else',
    fix: 'Name a folder that training wrote its checkpoints into.',
  });
}
