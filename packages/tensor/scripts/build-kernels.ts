import { mkdir, writeFile } from 'node:fs/promises';
import { compileKernels } from './compile-kernels.js';

const folder = new URL('../src/generated/', import.meta.url);
await mkdir(folder, { recursive: true });
await writeFile(new URL('kernels.ts', folder), await compileKernels());
