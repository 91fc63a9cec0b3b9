import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import { sourceHash } from './source-hash.js';

const folder = fileURLToPath(new URL('../assembly/', import.meta.url));

/**
 * The text of `src/generated/kernels.ts`: the AssemblyScript sources compiled to one WebAssembly module, as base64.
 * The module imports its memory and has no data of its own, so it can work inside the memory of another module.
 */
export async function compileKernels(): Promise<string> {
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    [
      'index.ts',
      '-O3',
      '--noAssert',
      '--runtime',
      'stub',
      '--importMemory',
      '--enable',
      'simd',
      '--disableWarning',
      '201',
      '--outFile',
      'kernels.wasm',
    ],
    {
      readFile: (name: string) => readFile(join(folder, name), 'utf8').catch(() => null),
      writeFile: (name: string, contents: Uint8Array | string) => {
        if (name.endsWith('.wasm') && typeof contents !== 'string') binary = contents;
      },
      listFiles: () => [],
    },
  );
  if (error || !binary) throw new Error(`the kernels do not compile:\n${stderr.toString()}`);
  const text = Buffer.from(binary).toString('base64');
  return [
    '/** The kernels of `assembly/` as a WebAssembly module. Written by scripts/build-kernels.ts; do not edit. */',
    `export const kernelsBase64 =\n  '${text}';`,
    '',
    '/** Hash of the sources it was compiled from. */',
    `export const kernelsHash = '${await sourceHash()}';`,
    '',
  ].join('\n');
}
