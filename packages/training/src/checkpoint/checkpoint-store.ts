import type { Files } from '@espalier/core';
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
    const found = readState(await files.read(path), path);
    if (found.fingerprint !== fingerprint) throw otherRun(path, fingerprint, found.fingerprint);
    return found.state;
  };
  return {
    async load() {
      await removeLeftovers(files, folder, pathOf);
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

/** Removes what a killed run was writing: whole files have their final names. */
async function removeLeftovers(files: Files, folder: string, pathOf: (name: string) => string): Promise<void> {
  const names = await files.list(folder).catch(() => []); // there is no folder before the first checkpoint
  for (const name of names) {
    if (name.startsWith(`.${current}.`) && name.endsWith('.tmp')) await files.remove(pathOf(name));
  }
}

const isOtherRun = (cause: unknown): boolean =>
  typeof cause === 'object' && cause !== null && 'code' in cause && cause.code === 'CHECKPOINT_OTHER_RUN';
