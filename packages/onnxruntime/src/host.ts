import type { Files } from '@espalier/core';
import type { Loader } from './runtime.js';

/** A folder that is gone when `remove` was called, or at the latest when the process ends. */
export interface TemporaryFolder {
  readonly files: Files;
  /** The absolute path of a file in it. */
  pathOf(name: string): string;
  remove(): Promise<void>;
}

/** The differences between Node and browsers; each has a file of its own, chosen by the `browser` condition. */
export interface Host {
  /** The native runtime; absent in browsers. */
  readonly native?: Loader;
  /** Makes a folder for models that are too large for memory; absent in browsers. */
  readonly temporaryFolder?: () => Promise<TemporaryFolder>;
  /** Physical cores this process may use, where that can be known. */
  cores(): number | undefined;
}
