import { createGraph, createNode, domainOf, floats, ints, type Tensor, toNumbers } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { beforeAll, describe, expect, it } from 'vitest';
import { evaluateGraph } from '../../../test/float64/evaluate-graph.js';
import { largestDifference, runOnnx } from '../../../test/run-onnx.js';
import { type ConformanceCase, conformanceCases } from '../test/conformance-cases.js';
import { type Heap, openHeap } from './heap.js';
import { kernelOf, supportedOps } from './kernel-of.js';
import { binaryKernels } from './kernels/binary.js';
import { unaryKernels } from './kernels/unary.js';
import { blockOf, hostOf, hostValue, type Layout, releaseValue, type Value } from './value.js';

let heap: Heap;
beforeAll(async () => {
  heap = await openHeap('');
});

const graphOf = ({ op, inputs, attributes = {}, outputs = 1, opset = 18 }: ConformanceCase) => {
  const names = inputs.map((input, i) => (input ? `x${i}` : undefined));
  const out = Array.from({ length: outputs }, (_, i) => `y${i}`);
  return inferShapes(
    createGraph({
      inputs: names.filter((name) => name !== undefined),
      outputs: out,
      nodes: [createNode({ id: 'op', op, inputs: names, outputs: out, attributes })],
      values: new Map(inputs.flatMap((each, i) => (each ? [[`x${i}`, { dtype: each.dtype, shape: each.shape }]] : []))),
      opsets: new Map([['', opset], ...(domainOf(op) ? [[domainOf(op), 1] as const] : [])]),
    }),
  );
};

const feedsOf = ({ inputs }: ConformanceCase) =>
  new Map(inputs.flatMap((each, i) => (each ? [[`x${i}`, each] as const] : [])));

async function expected(each: ConformanceCase): Promise<ReadonlyMap<string, Tensor>> {
  const graph = graphOf(each);
  if (!each.op.startsWith('espalier::')) return runOnnx(graph, feedsOf(each));
  const all = evaluateGraph(graph, feedsOf(each));
  return new Map(graph.outputs.map((name) => [name, all.get(name)!])); // it returns every value
}

/** The inputs in memory only, in one layout where they have one. */
function onDevice(tensors: readonly (Tensor | undefined)[], layout: Layout): readonly (Value | undefined)[] {
  return tensors.map((each) => {
    if (!each) return undefined;
    const value = hostValue(each, 'x');
    blockOf(heap, value, 'plain');
    if (layout === 'last' && each.shape.length >= 3) {
      blockOf(heap, value, 'last');
      heap.release(value.plain!);
      value.plain = undefined;
    }
    value.host = undefined;
    return value;
  });
}

/** The outputs of the kernel; undefined where it leaves the node to the host. Everything it took is freed. */
function computed(each: ConformanceCase, layout: Layout, dies: boolean): ReadonlyMap<string, Tensor> | undefined {
  const graph = graphOf(each);
  const inputs = onDevice(each.inputs, layout);
  const before = heap.live();
  const call = { node: graph.nodes[0]!, opset: graph.opsets.get('')!, heap, inputs, dies: () => dies };
  const outputs = kernelOf(each.op)!(call);
  const found = outputs && new Map(graph.outputs.map((name, i) => [name, hostOf(heap, outputs[i]!)] as const));
  for (const value of [...(outputs ?? []), ...inputs]) if (value) releaseValue(heap, value);
  expect(heap.live()).toBeLessThanOrEqual(before);
  return found;
}

const title = ({ op, note, inputs }: ConformanceCase) =>
  `${op}${note ? ` ${note}` : ''} of ${inputs.map((each) => (each ? `${each.dtype}[${each.shape.join(',')}]` : '-')).join(' ')}`;

describe('kernels compute what onnxruntime, or plain loops in float64, compute', () => {
  it.each(conformanceCases.map((each) => [title(each), each] as const))('%s', async (_, each) => {
    const base = heap.live();
    const want = await expected(each);
    let ran = 0;
    for (const layout of ['plain', 'last'] as const) {
      for (const dies of [false, true]) {
        const found = computed(each, layout, dies);
        if (!found) continue;
        ran++;
        expect(largestDifference(want, found)).toBeLessThan(1e-5);
        for (const [name, { dtype }] of found)
          if (!each.op.startsWith('espalier::')) expect(dtype).toBe(want.get(name)!.dtype);
        expect(heap.live()).toBe(base);
      }
    }
    expect(ran).toBe(4);
  });

  it.each(
    conformanceCases
      .filter(({ op, attributes }) => op === 'MaxPool' && attributes)
      .map((each) => [title(each), each] as const),
  )('espalier::MaxPoolGradient of %s', (_, pool) => {
    const x = pool.inputs[0]! as Tensor<'float32'>; // as the cases are
    // Whole numbers, so that there are ties.
    const rounded = floats(x.data.map(Math.round), x.shape);
    const y = computed({ ...pool, inputs: [rounded] }, 'plain', false)!.get('y0')! as Tensor<'float32'>;
    const dy = floats(
      y.data.map((_each, i) => (i % 17) - 8),
      y.shape,
    );
    const attributes = { pads: ints([0, 0, 0, 0]), strides: ints([1, 1]), dilations: ints([1, 1]), ...pool.attributes };
    const each = { op: 'espalier::MaxPoolGradient', inputs: [rounded, y, dy], attributes };
    const want = evaluateGraph(graphOf(each), feedsOf(each)).get('y0')!;
    for (const layout of ['plain', 'last'] as const) {
      const found = computed(each, layout, true)!.get('y0')!;
      expect(largestDifference(new Map([['y0', want]]), new Map([['y0', found]]))).toBeLessThan(1e-6);
    }
  });

  it('has a case for every op, but for those that are left to the host', () => {
    const onHost = ['Constant', 'ConstantOfShape', 'EyeLike', 'Mod', 'NonZero', 'OneHot', 'Range'];
    // Older names of ops that have cases, and ops that this onnxruntime does not know yet.
    const elsewhere = ['Scatter', 'Upsample', 'Swish'];
    const tried = new Set([
      ...conformanceCases.map(({ op }) => op),
      ...onHost,
      ...elsewhere,
      'espalier::MaxPoolGradient',
    ]);
    expect(supportedOps.filter((op) => !tried.has(op))).toEqual([]);
  });
});

describe('NaN', () => {
  const nan: Tensor = { dtype: 'float32', shape: [5], data: Float32Array.of(1, Number.NaN, -1, 2, 0) };
  const others: readonly (Tensor | undefined)[] = [nan, floats([0.5], []), floats([2], [])];
  const truths = [
    'IsNaN',
    'IsInf',
    'Not',
    'And',
    'Or',
    'Xor',
    'Equal',
    'Greater',
    'GreaterOrEqual',
    'Less',
    'LessOrEqual',
  ];
  const ops = [...Object.keys(unaryKernels), ...Object.keys(binaryKernels)].filter(
    (op) => !truths.includes(op) && op !== 'Mod',
  );

  it.each(ops)('comes out of %s where it goes in', (op) => {
    const count = op in unaryKernels && op !== 'Clip' && op !== 'Pow' ? 1 : op === 'Clip' ? 3 : 2;
    const found = computed({ op, inputs: others.slice(0, count) }, 'plain', false);
    expect(toNumbers(found!.get('y0')!)[1]).toBeNaN();
  });

  it.each(['Conv', 'MatMul', 'MaxPool', 'ReduceMax', 'ReduceSum', 'Softmax', 'espalier::FakeQuantize'])(
    'comes out of %s',
    (op) => {
      const each = conformanceCases.find((one) => one.op === op)!; // every op has a case
      const first = each.inputs[0]!;
      const data = Float32Array.from(first.data as Float32Array); // the first input of these is float32
      data[data.length >> 1] = Number.NaN;
      const found = computed({ ...each, inputs: [floats(data, first.shape), ...each.inputs.slice(1)] }, 'plain', false);
      expect(toNumbers(found!.get('y0')!).some(Number.isNaN)).toBe(true);
    },
  );
});
