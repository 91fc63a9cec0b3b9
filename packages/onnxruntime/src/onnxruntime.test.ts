import { instantiate } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { createOnnxRuntime } from './create-onnx-runtime.js';
import { onnxruntime } from './onnxruntime.js';

describe('plugin onnxruntime', () => {
  it('makes an executor from options', async () => {
    const executor = onnxruntime({ threads: 1, backend: 'web' });
    expect([executor.id, onnxruntime.kind, onnxruntime.id]).toEqual(['onnxruntime', 'executor', 'onnxruntime']);
    expect(await executor.describe()).toMatch(/^onnxruntime-web /);
    await executor.close();
  });

  it('refuses options it does not have', () => {
    expect(() => instantiate(onnxruntime, { threads: -1 })).toThrow(/threads: expected a whole number from 0 to 256/);
    expect(() => instantiate(onnxruntime, { backend: 'nod' })).toThrow(/Did you mean "node"/);
    expect(() => createOnnxRuntime({ threads: 1.5 })).toThrow(/threads: expected a whole number from 0 to 256/);
  });
});
