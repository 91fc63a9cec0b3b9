import { type AxisRule, definePlugin, floats, type Node, sizeOf, type Tensor, toFloats } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { type AxisRuleUnderTest, describeAxisRule, failuresOf, runKit } from './index.js';

const id = 'acme::ScaleRows';
const plugin = (create: () => AxisRule) =>
  definePlugin({ kind: 'axes', id, about: 'How the axes of a scale per row relate.', options: {}, create });

/** x [rows, columns] times a scale [rows]. */
const reference = (_: Node, [x, scale]: readonly (Tensor | undefined)[]): readonly Tensor[] => {
  const [a, b] = [toFloats(x!), toFloats(scale!)];
  const columns = a.length / b.length;
  return [
    floats(
      a.map((value, i) => value * b[Math.floor(i / columns)]!),
      x!.shape,
    ),
  ];
};
const values = (shape: readonly number[]) =>
  floats(
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(1 + i)),
    shape,
  );
const test: AxisRuleUnderTest = {
  reference,
  examples: [{ name: 'rows', inputs: [{ value: values([4, 3]) }, { constant: values([4]) }] }],
};

const right: AxisRule = {
  relate(site) {
    const [x, scale] = site.inputs;
    const [y] = site.outputs;
    for (const i of [0, 1]) site.same(x!.axes[i]!, y!.axes[i]!);
    site.same(scale!.axes[0]!, x!.axes[0]!);
  },
};

runKit(
  describeAxisRule(
    plugin(() => right),
    test,
  ),
  { describe, it },
);

const failing = async (rule: AxisRule, tried = test): Promise<readonly string[]> => {
  const kit = describeAxisRule(
    plugin(() => rule),
    tried,
  );
  return (await failuresOf(kit)).map((line) => line.slice(kit.about.length + 2).split(/ \(|: /)[0]!);
};

describe('the kit for axis rules', () => {
  it('finds an axis that nobody answers', async () => {
    const silent: AxisRule = { relate: (site) => site.same(site.inputs[0]!.axes[1]!, site.outputs[0]!.axes[1]!) };
    expect(await failing(silent)).toEqual(['answers every axis', 'computes after a cut what it computes masked']);
  });

  it('finds axes that are related wrongly', async () => {
    const shifted: AxisRule = {
      relate(site) {
        const [x, scale] = site.inputs;
        const [y] = site.outputs;
        site.map(x!.axes[0]!, y!.axes[0]!, (i) => 3 - i);
        site.same(scale!.axes[0]!, x!.axes[0]!);
        site.same(x!.axes[1]!, y!.axes[1]!);
      },
    };
    expect(await failing(shifted)).toEqual(['computes after a cut what it computes masked']);
  });

  it('finds an op that makes something of zero', async () => {
    const raised = {
      ...test,
      reference: (node: Node, inputs: readonly (Tensor | undefined)[]) => [addOne(reference(node, inputs)[0]!)],
    };
    expect(await failing(right, raised)).toEqual(['computes after a cut what it computes masked']);
  });

  it('finds a rule that lets nothing go', async () => {
    expect(await failing({ relate: (site) => site.pinAll('I do not know') })).toEqual(['lets something be cut']);
  });
});

const addOne = (tensor: Tensor): Tensor =>
  floats(
    toFloats(tensor).map((value) => value + 1),
    tensor.shape,
  );
