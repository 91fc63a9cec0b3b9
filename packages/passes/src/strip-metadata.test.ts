import { createGraph, createNode } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { stripMetadata } from './strip-metadata.js';

const node = (op: string, output: string, attributes = {}) => ({
  ...createNode({ id: op, op, inputs: ['x'], outputs: [output], attributes }),
  doc: 'File "/home/me/model.py", line 3',
  metadata: new Map([['pkg.torch.onnx.stack_trace', 'File "/home/me/model.py"']]),
});

describe('stripMetadata', () => {
  it('removes docs and metadata of nodes, in branches too, and keeps those of the model', () => {
    const branch = createGraph({ inputs: [], outputs: ['b'], nodes: [node('Relu', 'b')] });
    const graph = createGraph({
      inputs: ['x'],
      outputs: ['y'],
      nodes: [node('If', 'y', { then_branch: { kind: 'graph', value: branch } })],
      metadata: new Map([['names', 'cat,dog']]),
    });
    const stripped = stripMetadata(graph);
    const [outer] = stripped.nodes;
    const body = outer?.attributes.get('then_branch');
    const inner = body?.kind === 'graph' ? body.value.nodes[0] : undefined;
    expect([outer?.doc, outer?.metadata, inner?.doc, inner?.metadata]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(inner?.op).toBe('Relu');
    expect(stripped.metadata).toBe(graph.metadata);
    expect(stripMetadata(stripped)).toBe(stripped);
  });
});
