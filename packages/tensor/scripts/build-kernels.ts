import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { compileKernels } from './compile-kernels.ts';

const target = fileURLToPath(new URL('../src/generated/kernels.ts', import.meta.url));
await mkdir(fileURLToPath(new URL('.', new URL('../src/generated/kernels.ts', import.meta.url))), { recursive: true });
await writeFile(target, await compileKernels());
