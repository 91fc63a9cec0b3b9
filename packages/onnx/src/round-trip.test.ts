import { createRandom, joinBytes, subgraphsOf } from '@espalier/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { randomGraph } from '../test/random-graph.js';
import { decodeOnnx } from './decode-onnx.js';
import { encodeOnnx } from './encode-onnx.js';

test('what is written is read back as it was, for all kinds of attributes, dtypes, subgraphs and functions', () => {
  const kinds = new Set<string>();
  const dtypes = new Set<string>();
  let bodies = 0;
  let functions = 0;
  for (let seed = 0; seed < 300; seed++) {
    const graph = randomGraph(createRandom(seed));
    expect(decodeOnnx(joinBytes(encodeOnnx(graph)))).toStrictEqual(graph);
    for (const { dtype } of graph.constants.values()) dtypes.add(dtype);
    for (const node of graph.nodes) {
      bodies += subgraphsOf(node).length;
      for (const { kind } of node.attributes.values()) kinds.add(kind);
    }
    functions += graph.functions.length;
  }
  // The generator must have reached everything it is there for.
  expect({ kinds: kinds.size, dtypes: dtypes.size }).toEqual({ kinds: 14, dtypes: 26 });
  expect(Math.min(bodies, functions)).toBeGreaterThan(50);
});

test('the same graph gives the same bytes, also after a round trip', () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const graph = randomGraph(createRandom(seed));
      const bytes = joinBytes(encodeOnnx(graph));
      expect(joinBytes(encodeOnnx(graph))).toEqual(bytes);
      expect(joinBytes(encodeOnnx(decodeOnnx(bytes)))).toEqual(bytes);
    }),
    { numRuns: 100, seed: 1 },
  );
});
