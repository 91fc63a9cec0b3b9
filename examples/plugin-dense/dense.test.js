import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { floats, toNumbers } from '@espalier/core';
import { describeAxisRule, runKit } from '@espalier/testing';
import { dense, plugins } from './index.js';

/** What the op computes, slowly: y[n, o] = sum over i of x[n, i] * w[o, i]. */
function reference(_, [x, w]) {
  const [[n, inputs], [outputs]] = [x.shape, w.shape];
  const [from, weights] = [toNumbers(x), toNumbers(w)];
  const y = new Float32Array(n * outputs);
  y.forEach((_, at) => {
    const [row, output] = [Math.floor(at / outputs), at % outputs];
    for (let i = 0; i < inputs; i++) y[at] += from[row * inputs + i] * weights[output * inputs + i];
  });
  return [floats(y, [n, outputs])];
}

const waves = (...shape) =>
  floats(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i + 1)),
    shape,
  );
const example = (name, inputs, outputs) => ({
  name,
  inputs: [{ value: waves(2, inputs) }, { constant: waves(outputs, inputs) }],
});

runKit(describeAxisRule(dense, { reference, examples: [example('wide', 3, 5), example('narrow', 6, 2)] }), {
  describe,
  it,
});

it('is found under the name `plugins`', () => {
  assert.deepEqual(
    plugins.map(({ kind, id }) => `${kind} ${id}`),
    ['axes acme::Dense'],
  );
});
