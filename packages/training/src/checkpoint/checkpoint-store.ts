import { type Files, joinBytes } from '@espalier/core';
import { damagedCheckpoint, otherRun } from '../errors.js';
import type { RunState } from '../run/run-state.js';
import { readState } from './read-state.js';
import { writeState } from './write-state.js';

const current = 'checkpoint.safetensors';
const previous = 'checkpoint.previous.safetensors';

/** Keeps the last two states of one run in a folder. */
export interface CheckpointStore {
  /** The newest whole state; undefined where there is none. @throws CHECKPOINT_OTHER_RUN, CHECKPOINT_DAMAGED. */
  load(): Promise<RunState | undefined>;
  /** Returns the path of the file. */
  save(state: RunState): Promise<string>;
}

/**
 * A store whose files can be trusted after a kill at any moment: a state is written under a temporary name, flushed,
 * and renamed; the one before it stays as a fallback. Two renames are needed, and between them only the fallback is
 * there, which `load` then takes.
 */
export function checkpointStore(files: Files, folder: string, fingerprint: string): CheckpointStore {
  const pathOf = (name: string) => (folder === '' ? name : `${folder}/${name}`);
  const read = async (name: string): Promise<RunState | undefined> => {
    const path = pathOf(name);
    if ((await files.size(path)) === undefined) return undefined;
    // Copied out of what was read: `Files` in memory hands out its own bytes.
    const found = readState(joinBytes([await files.read(path), new Uint8Array()]), path);
    if (found.fingerprint !== fingerprint) throw otherRun(path, fingerprint, found.fingerprint);
    return found.state;
  };
  return {
    async load() {
      const failures: unknown[] = [];
      for (const name of [current, previous]) {
        try {
          const state = await read(name);
          if (state) return state;
        } catch (cause) {
          if (isOtherRun(cause)) throw cause;
          failures.push(cause);
        }
      }
      if (failures.length > 0) throw damagedCheckpoint(folder, failures[0]);
      return undefined;
    },
    async save(state) {
      const path = pathOf(current);
      if ((await files.size(path)) !== undefined) await files.move(path, pathOf(previous));
      await files.write(path, writeState(state, fingerprint));
      return path;
    },
  };
}

const isOtherRun = (cause: unknown): boolean =>
  typeof cause === 'object' && cause !== null && 'code' in cause && cause.code === 'CHECKPOINT_OTHER_RUN';
