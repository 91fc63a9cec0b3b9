import { join } from 'node:path';
import ts from 'typescript';
import { root } from './workspace.js';

/** A TypeScript program of some files, under the options that the whole repository is checked with. */
export function programOf(files: readonly string[], changes: ts.CompilerOptions = {}): ts.Program {
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { tsBuildInfoFile: _, ...options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root).options;
  return ts.createProgram(files, { ...options, noEmit: true, incremental: false, ...changes });
}
