import type { Files, ModelFile } from '@espalier/core';
import { folderOf, missingFile } from '@espalier/core';
import { readOnnx } from '@espalier/onnx';
import type { InferenceSession } from 'onnxruntime-node';
import type { Runtime } from './runtime.js';
import { translateFailure } from './translate-failure.js';

/**
 * Has the runtime load a model file: by its place on the disk where it has one and the runtime reads disks, from
 * its bytes and those of the files it refers to elsewhere.
 * @throws FILE_MISSING, EXECUTOR_UNSUPPORTED_OP, EXECUTOR_FAILED.
 */
export async function loadModel(
  { api, package: name }: Runtime,
  { files, path }: ModelFile,
  options: InferenceSession.SessionOptions,
): Promise<InferenceSession> {
  if ((await files.size(path)) === undefined) throw missingFile(path);
  const place = name === 'onnxruntime-node' ? await files.locate?.(path) : undefined;
  try {
    if (place !== undefined) return await api.InferenceSession.create(place, options);
    const { bytes, beside } = await bytesOf(files, path);
    return await api.InferenceSession.create(bytes, { ...options, ...(beside.length ? { externalData: beside } : {}) });
  } catch (cause) {
    throw translateFailure(cause, { runtime: name, where: path, expected: 'the runtime to load the file' });
  }
}

/** The bytes of a model, and of the files beside it that hold its weights. */
async function bytesOf(files: Files, path: string) {
  const bytes = await files.read(path);
  const folder = folderOf(path);
  const found = new Map<string, Uint8Array>();
  // Reading the model as a graph shows which files it refers to: they are what it asks for.
  const watched: Files = {
    size: (name) => files.size(name),
    write: (name, chunks) => files.write(name, chunks),
    move: (from, to) => files.move(from, to),
    remove: (name) => files.remove(name),
    list: (name) => files.list(name),
    async read(name, range) {
      const whole = name === path ? bytes : (found.get(name) ?? (await files.read(name)));
      if (name !== path) found.set(name, whole);
      if (!range) return whole;
      const { offset, length } = range;
      return offset >= 0 && offset + length <= whole.length
        ? whole.subarray(offset, offset + length)
        : files.read(name, range); // which says what is wrong with it
    },
  };
  await readOnnx(watched, path);
  const beside = [...found].map(([name, data]) => ({ path: folder ? name.slice(folder.length + 1) : name, data }));
  return { bytes, beside };
}
