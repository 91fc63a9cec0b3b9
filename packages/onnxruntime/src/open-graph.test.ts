import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { buildGraph, floats } from '@espalier/core';
import { expect, it } from 'vitest';
import { createOnnxRuntime } from './create-onnx-runtime.js';

const temporary = () => readdirSync(tmpdir()).filter((name) => name.startsWith(`espalier-${process.pid}-`));

it('runs graphs with large weights from a temporary folder that is gone afterwards', async () => {
  const executor = createOnnxRuntime({ backend: 'node', threads: 1 });
  const rows = 2 ** 16 + 1; // of 1024 floats: just above 256 MB
  const weights = new Float32Array(rows * 1024);
  weights.set([1, 2, 3], (rows - 1) * 1024);
  const b = buildGraph();
  const table = b.constant('table', floats(weights, [rows, 1024]));
  b.output(b.add('Gather', [table, b.input('i', 'int64', ['n'])], { name: 'y' }));
  b.info('y', { dtype: 'float32', shape: ['n', 1024] });

  const session = await executor.open(b.finish());
  expect(temporary()).toHaveLength(1);
  const index = { dtype: 'int64', shape: [1], data: BigInt64Array.of(BigInt(rows - 1)) } as const;
  const row = (await session.run(new Map([['i', index]]))).get('y');
  expect(Array.from((row!.data as Float32Array).subarray(0, 4))).toEqual([1, 2, 3, 0]); // the table is float32
  await session.close();
  expect(temporary()).toEqual([]);
});
