import { describe, expect, it } from 'vitest';
import { loadRuntime } from './runtime.js';

const absent = (name: 'onnxruntime-node' | 'onnxruntime-web') => ({
  package: name,
  load: () => Promise.reject(new Error(`Cannot find package '${name}'`)),
});

describe('loadRuntime', () => {
  it('takes the next runtime when the first cannot be loaded', async () => {
    const web = { package: 'onnxruntime-web', load: () => import('onnxruntime-web') } as const;
    const found = await loadRuntime([absent('onnxruntime-node'), web]);
    expect(found.package).toBe('onnxruntime-web');
    expect(found.version).toMatch(/^1\./);
  });

  it('says how to install what is missing', async () => {
    await expect(loadRuntime([absent('onnxruntime-node'), absent('onnxruntime-web')])).rejects.toMatchObject({
      code: 'EXECUTOR_MISSING',
      message:
        'executor onnxruntime: expected one of the packages onnxruntime-node, onnxruntime-web, found that it could not ' +
        "be loaded (Cannot find package 'onnxruntime-node'). Install it: ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node (the variable keeps its install " +
        'script from fetching CUDA libraries, which are not needed).',
    });
  });
});
