import { readdirSync, readFileSync } from 'node:fs';
import { createRandom, joinBytes } from '@espalier/core';
import { expect, test } from 'vitest';
import { modelsFolder } from '../../../test/fixtures.js';
import { randomGraph } from '../test/random-graph.js';
import { encodeOnnx } from './encode-onnx.js';
import { recogniseOnnx } from './recognise-onnx.js';

const head = (text: string) => new TextEncoder().encode(text).subarray(0, 64);

test('what this package writes is recognised by its first 64 bytes', () => {
  for (let seed = 0; seed < 50; seed++) {
    expect(recogniseOnnx(joinBytes(encodeOnnx(randomGraph(createRandom(seed)))).subarray(0, 64))).toBe(true);
  }
});

test('other formats are not', () => {
  const safetensors = Uint8Array.from([8, 12, 0, 0, 0, 0, 0, 0, ...head('{"weight":{"dtype":"F32"')]);
  const tflite = Uint8Array.from([0x1c, 0, 0, 0, ...head('TFL3')]);
  const others = [
    new Uint8Array(0),
    safetensors,
    tflite,
    head('{"format":"graph-model"}'),
    head('\x89HDF\r\n'),
    head('PK\x03\x04'),
    head('"text"'),
    head('BSD License'),
    head('2 plus 2'),
  ];
  expect(others.map((each) => recogniseOnnx(each))).toEqual(others.map(() => false));
});

test.skipIf(!modelsFolder())(
  'real models are recognised, and the other files beside them are not (needs ESPALIER_MODELS)',
  () => {
    const folder = modelsFolder()!;
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
    for (const { parentPath, name } of files) {
      const found = recogniseOnnx(readFileSync(`${parentPath}/${name}`).subarray(0, 64));
      expect([name, found]).toEqual([name, name.endsWith('.onnx')]);
    }
    expect(files.length).toBeGreaterThan(10);
  },
);
