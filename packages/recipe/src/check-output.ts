import { type Exporter, type Files, problem } from '@espalier/core';

/** Where a run wants to write, and what it read. */
export interface OutputRequest {
  readonly files: Files;
  /** Paths of files that the run reads. */
  readonly inputs: readonly string[];
  readonly output: string;
  readonly exporter: Exporter;
  /** Whether the run's own input and a write-protected file may be replaced. */
  readonly force?: boolean;
}

/**
 * Refuses an output path before any work is done: a folder, the ending of another format, and without `force` the
 * run's own input or a write-protected file. @throws OUTPUT_REFUSED.
 */
export async function checkOutput({ files, inputs, output, exporter, force = false }: OutputRequest): Promise<void> {
  const ending = output.slice(output.lastIndexOf('/') + 1).split('.');
  if (ending.length < 2 || ending.at(-1)?.toLowerCase() !== exporter.extension) {
    throw refused(output, {
      expected: `a file name that ends in .${exporter.extension}`,
      found: `"${output}"`,
      fix: `Name the output ${output.replace(/\/+$/, '') || 'model'}.${exporter.extension}.`,
    });
  }
  if (await isFolder(files, output)) {
    throw refused(output, { expected: 'the path of a file', found: 'a folder', fix: 'Name a file in it.' });
  }
  if (force) return;
  for (const input of inputs) {
    if (!(await isSame(files, input, output))) continue;
    throw refused(output, {
      expected: 'another file than the input',
      found: 'the file that the run reads',
      fix: 'Choose another name, or add --force to replace it.',
    });
  }
  if (await files.isProtected?.(output)) {
    throw refused(output, {
      expected: 'a file that may be replaced',
      found: 'a write-protected file',
      fix: 'Choose another name, or add --force to replace it.',
    });
  }
}

const refused = (
  path: string,
  { expected, found, fix }: { readonly expected: string; readonly found: string; readonly fix: string },
) => problem('OUTPUT_REFUSED', { where: `output ${path}`, expected, found, fix });

async function isFolder(files: Files, path: string): Promise<boolean> {
  if ((await files.size(path)) !== undefined) return false;
  return files.list(path).then(
    () => true,
    () => false,
  );
}

async function isSame(files: Files, a: string, b: string): Promise<boolean> {
  if (a === b) return true;
  if (!files.locate) return false;
  return (await files.locate(a)) === (await files.locate(b));
}
