import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { floats, int, intOf, toNumbers } from '@espalier/core';
import { describeAxisRule, runKit } from '@espalier/testing';
import { channelGate, plugins } from './index.js';

/** What the op computes, slowly: y[n, c, ...] = x[n, c, ...] * gate[floor(c / each)]. */
function reference(node, [x, gate]) {
  const [, channels] = x.shape;
  assert.equal(intOf(node, 'channels', 0), channels, 'the attribute repeats the channels');
  const [values, numbers] = [toNumbers(x), toNumbers(gate)];
  const place = values.length / (x.shape[0] * channels);
  const each = channels / numbers.length;
  return [
    floats(
      values.map((value, i) => value * numbers[Math.floor((Math.floor(i / place) % channels) / each)]),
      x.shape,
    ),
  ];
}

const waves = (...shape) =>
  floats(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i + 1)),
    shape,
  );
const example = (name, channels, groups, ...places) => ({
  name,
  inputs: [{ value: waves(2, channels, ...places) }, { constant: waves(groups) }],
  attributes: { channels: int(channels) },
});

runKit(
  describeAxisRule(channelGate, {
    reference,
    examples: [example('images', 6, 3, 4, 5), example('vectors', 8, 4), example('one number each', 5, 5, 3)],
  }),
  { describe, it },
);

it('is found under the name `plugins`', () => {
  assert.deepEqual(
    plugins.map(({ kind, id }) => `${kind} ${id}`),
    ['axes acme::ChannelGate'],
  );
});
