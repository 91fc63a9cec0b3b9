import { readdirSync, readFileSync } from 'node:fs';
import { createRandom, EspalierError } from '@espalier/core';
import { expect, test } from 'vitest';
import { modelsFolder } from '../../../test/fixtures.js';
import { mutations } from '../test/mutate.js';
import { decodeOnnx } from './decode-onnx.js';
import { encodeOnnx } from './encode-onnx.js';

test.skipIf(!modelsFolder())(
  '300 damaged copies of real models give a graph or a typed error, fast (needs ESPALIER_MODELS)',
  () => {
    const folder = modelsFolder()!;
    const models = readdirSync(folder)
      .filter((name) => name.endsWith('.onnx'))
      .map((name) => new Uint8Array(readFileSync(`${folder}/${name}`)));
    const random = createRandom(7);
    const outcomes = new Map<string, number>();
    for (let i = 0; i < 300; i++) {
      const bytes = models[random.below(models.length)]!;
      const other = models[random.below(models.length)]!;
      const damaged = mutations[i % mutations.length]!.apply(bytes, random, other);
      const start = performance.now();
      const outcome = outcomeOf(damaged);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      expect(performance.now() - start).toBeLessThan(2000);
    }
    expect([...outcomes.keys()].filter((each) => !/^(read|(ONNX|GRAPH)_[A-Z_]+)$/.test(each))).toEqual([]);
    // Damage that never shows would test nothing.
    expect(outcomes.get('ONNX_TRUNCATED')).toBeGreaterThan(20);
    expect(outcomes.get('ONNX_MALFORMED')).toBeGreaterThan(20);
  },
);

function outcomeOf(bytes: Uint8Array): string {
  try {
    // What was read can be written.
    encodeOnnx(decodeOnnx(bytes));
    return 'read';
  } catch (error) {
    return error instanceof EspalierError ? error.code : `escaped: ${error}`;
  }
}
