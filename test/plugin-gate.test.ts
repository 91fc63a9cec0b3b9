import { createRegistry, intOf, noEvidence } from '@espalier/core';
import { axisRulesOf } from '@espalier/ops';
import { channelPruning, coupled, cut, magnitude } from '@espalier/pruners';
import { expect, it } from 'vitest';
import { channelGate, plugins } from '../examples/plugin-gate/index.js';
import { gatedNet } from './gated-net.js';

it('an op that nobody knows fixes what meets it, and a rule frees it', () => {
  const graph = gatedNet();
  expect(coupled(graph).groups.find(({ id }) => id === 'w/0')?.reason).toMatch(/acme::ChannelGate.*not known/);
  const rules = axisRulesOf(createRegistry(plugins));
  const group = coupled(graph, { rules }).groups.find(({ id }) => id === 'w/0')!;
  expect(group).toMatchObject({ prunable: true, units: 4 });
  const small = cut(coupled(graph, { rules }), new Map([['w/0', [1, 2]]]));
  const node = small.nodes.find(({ op }) => op === 'acme::ChannelGate')!;
  expect(intOf(node, 'channels', 0)).toBe(4);
  expect(small.constants.get('gate')?.shape).toEqual([2]);
  expect(small.values.get('gated')?.shape).toEqual(['batch', 4, 4, 4]);
  const { notes } = channelPruning({ pruner: magnitude(), sparsity: 0.5, multiple: 1 })(graph, { axes: rules }).apply(
    noEvidence,
  );
  expect(notes[0]?.reason).toBe('2 of 4 units removed, from 3 constants.');
});

it('refuses two rules for one op', () => {
  const registry = createRegistry([channelGate]).with('other', [channelGate]);
  expect(() => axisRulesOf(registry)).toThrow('one plugin that says how the axes of an op relate, found two');
});
