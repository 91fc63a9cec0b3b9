import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { isWritten, packages, root } from './workspace.js';

/** Parts of packages that pages fetch only when they ask for them. */
const late = ['./webgpu/*'];

/** Runtimes that users install themselves where they want them. */
const optional = ['onnxruntime-node', 'onnxruntime-web', '@tensorflow/tfjs-backend-webgpu'];

/** What bundlers for browsers make of a module that uses the workspace. */
async function bundle(code: string, external: readonly string[] = []) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: root, loader: 'ts' },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    conditions: ['@espalier/source'],
    external: ['node:*', ...optional, ...external],
    logLevel: 'silent',
  });
  const text = outputFiles[0]!.text; // one entry point makes one file
  const inputs = Object.values(metafile.inputs).flatMap((input) => input.imports.map(({ path }) => path));
  const outputs = Object.values(metafile.outputs).flatMap((output) => output.imports);
  const fetched = outputs.filter(({ path }) => path.startsWith('./webgpu/')).map(({ kind }) => kind);
  return { text, kilobytes: gzipSync(text, { level: 9 }).length / 1000, inputs, late: fetched };
}

const libraries = packages
  .filter((each) => each.folder.startsWith('packages/') && isWritten(each))
  .map(({ manifest }) => manifest.name);

/** Most kB, minified and gzipped, of all that a package exports, without the packages of the workspace it imports. */
const limits: Readonly<Record<string, number>> = {
  '@espalier/analysis': 30,
  '@espalier/autodiff': 22,
  '@espalier/bounds': 20,
  '@espalier/calibration': 13,
  '@espalier/core': 13.8,
  '@espalier/datasets': 36,
  espalier: 2.3, // nine presets and a folder of eight forms
  '@espalier/joint': 9,
  '@espalier/onnx': 16,
  '@espalier/onnxruntime': 14.5,
  '@espalier/ops': 62,
  '@espalier/passes': 60,
  '@espalier/pruners': 45, // one rule for each op, one file for each score
  '@espalier/quantizers': 47, // codebooks, targets, weights wherever they stand, other precisions, learned grids, six roundings
  '@espalier/recipe': 52, // a third of it the YAML parser
  '@espalier/safetensors': 2.5,
  '@espalier/schedules': 3,
  '@espalier/tensor': 170, // TensorFlow.js for the most part
  '@espalier/testing': 20, // a kit for every kind, targets and statistics included
  '@espalier/training': 20,
  '@espalier/zoo': 10,
};

describe('the size of', () => {
  it('core with one plugin is at most 4.2 kB', async () => {
    const { kilobytes, text } = await bundle(
      `import { createRegistry } from '@espalier/core'; import { cubic } from '@espalier/schedules'; export const registry = createRegistry([cubic]);`,
    );
    expect(kilobytes).toBeLessThan(4.2);
    expect(text).toContain('cubic');
  });

  it('a plugin does not count its siblings', async () => {
    const { text } = await bundle(
      `import { cubic } from '@espalier/schedules'; export const schedule = cubic({ to: 1, end: 2 });`,
    );
    for (const id of ['cosine', 'constant', 'one-cycle', 'warm-up']) expect(text).not.toContain(`"${id}"`);
  });

  it.each(Object.entries(limits))('%s is at most %d kB', async (name, limit) => {
    const others = packages.map(({ manifest }) => manifest.name).filter((other) => other !== name);
    const { kilobytes } = await bundle(`export * from '${name}';`, [
      ...late,
      ...others.flatMap((other) => [other, `${other}/*`]),
    ]);
    expect(kilobytes).toBeLessThan(limit);
  });

  it('the part of tensor for WebGPU is at most 20 kB more, fetched by pages that ask for it', async () => {
    const workspace = libraries.filter((name) => name !== '@espalier/tensor');
    const code = `export * from '@espalier/tensor';`;
    const [first, all] = await Promise.all([bundle(code, [...late, ...workspace]), bundle(code, workspace)]);
    expect(all.kilobytes - first.kilobytes).toBeGreaterThan(1);
    expect(all.kilobytes - first.kilobytes).toBeLessThan(20);
    // Only by import(), which bundlers make files of their own of.
    expect([...new Set(first.late)]).toEqual(['dynamic-import']);
  });

  it('every package has a limit', () => {
    expect(libraries.filter((name) => limits[name] === undefined)).toEqual([]);
  });
});

describe('onnxruntime', () => {
  const users = ['@espalier/onnxruntime', 'espalier'];

  it.each(libraries)('comes with %s only where it must', async (name) => {
    const { inputs } = await bundle(`export * from '${name}';`);
    expect(inputs.some((path) => path.startsWith('onnxruntime-'))).toBe(users.includes(name));
  });
});
