import { printGraph } from '@espalier/core';
import { expect, test } from 'vitest';
import { block, float32, model, nodeModel, number } from '../test/protobuf.js';
import { decodeOnnx } from './decode-onnx.js';

const node = (inputs: readonly string[], output: string, more: readonly number[] = []) =>
  block(1, [...inputs.flatMap((each) => block(1, each)), ...block(2, output), ...block(4, 'Op'), ...more]);
const named = (field: number, name: string, type: readonly number[] = []) => block(field, [...block(1, name), ...type]);
const code = (wanted: string, message = /./) =>
  expect.objectContaining({ code: wanted, message: expect.stringMatching(message) });
/** A tensor type of float32 with these dimensions. */
const floatType = (dims: readonly (readonly number[])[]) =>
  block(
    2,
    block(1, [
      ...number(1, 1),
      ...block(
        2,
        dims.flatMap((dim) => block(1, dim)),
      ),
    ]),
  );

test('initializers that are inputs too become constants and leave the inputs', () => {
  const weight = block(5, [...number(1, 1), ...number(2, 1), ...block(8, 'w'), ...block(9, float32(1))]);
  const graph = decodeOnnx(
    model([...named(11, 'x'), ...named(11, 'w'), ...weight, ...node(['x', 'w'], 'y'), ...named(12, 'y')]),
  );
  expect(graph.inputs).toEqual(['x']);
  expect([...graph.constants.keys()]).toEqual(['w']);
});

test('nodes are sorted, and get ids of their own where their names are empty or taken', () => {
  const graph = decodeOnnx(
    model([
      ...named(11, 'x'),
      ...node(['b'], 'c', block(3, 'same')),
      ...node(['a'], 'b', block(3, 'same')),
      ...node(['x', ''], 'a'),
      ...node(['c'], 'd', block(3, 'Op_2')),
      ...named(12, 'd'),
    ]),
  );
  expect(graph.nodes.map(({ id, outputs }) => [id, outputs[0]])).toEqual([
    ['Op_2_1', 'a'],
    ['same_1', 'b'],
    ['same', 'c'],
    ['Op_2', 'd'],
  ]);
  expect(graph.nodes[0]!.inputs).toEqual(['x', undefined]);
});

test('sizes without number or name are named after their value, and -1 is taken as unknown', () => {
  const type = floatType([[], number(1, -1), block(2, 'batch'), number(1, 0)]);
  const graph = decodeOnnx(model([...named(11, 'x', type), ...named(12, 'x')]));
  expect(graph.values.get('x')).toEqual({ dtype: 'float32', shape: ['x?0', 'x?1', 'batch', 0] });
});

test('the default domain has one name', () => {
  const graph = decodeOnnx(
    Uint8Array.from([
      ...number(1, 8),
      ...block(7, [
        ...node([], 'y', block(7, 'ai.onnx')),
        ...node([], 'z', block(7, 'com.microsoft')),
        ...named(12, 'y'),
      ]),
      ...block(8, [...block(1, 'ai.onnx'), ...number(2, 17)]),
    ]),
  );
  expect(graph.nodes.map(({ op }) => op)).toEqual(['Op', 'com.microsoft::Op']);
  expect([...graph.opsets]).toEqual([['', 17]]);
});

test('operator sets are read from the first one on, unknown newer ones too; none at all is refused', () => {
  const at = (version: number) => () =>
    decodeOnnx(Uint8Array.from([...number(1, 3), ...block(7, node([], 'y')), ...block(8, number(2, version))]));
  expect(at(6)().opsets.get('')).toBe(6);
  expect(at(0)).toThrow(code('ONNX_MALFORMED', /opset_import\[0\]/));
  expect(at(99)().opsets.get('')).toBe(99);
  expect(() => decodeOnnx(Uint8Array.from([...number(1, 3), ...block(7, node([], 'y'))]))).toThrow(
    code('ONNX_UNSUPPORTED'),
  );
});

test('training information is refused', () => {
  expect(() => decodeOnnx(model(node([], 'y'), block(20, [])))).toThrow(code('ONNX_UNSUPPORTED', /training/));
});

test('a file without a graph, cut off, or of other bytes gives an error with its place', () => {
  expect(() => decodeOnnx(new Uint8Array(0), { where: 'empty.onnx' })).toThrow(
    code('ONNX_MALFORMED', /^empty.onnx, byte 0: .*graph/),
  );
  const file = nodeModel([]);
  expect(() => decodeOnnx(file.subarray(0, 12))).toThrow(code('ONNX_TRUNCATED', /^model, byte \d+, graph/));
  expect(() => decodeOnnx(Uint8Array.of(0x07, 0))).toThrow(code('ONNX_MALFORMED', /field number/));
});

test('unknown fields of every layout are skipped', () => {
  const extra = [
    ...number(90, 5),
    ...block(91, 'x'),
    ...[0xe5, 0x05, 1, 2, 3, 4],
    ...[0xe9, 0x05, 1, 2, 3, 4, 5, 6, 7, 8],
  ];
  const plain = decodeOnnx(nodeModel([]));
  expect(printGraph(decodeOnnx(model([...node([], 'y'), ...extra, ...named(12, 'y')], extra)))).toBe(
    printGraph(plain).replace('Test', 'Op'),
  );
});

test('names that are not UTF-8 are malformed', () => {
  expect(() => decodeOnnx(model([...block(2, [0xc3, 0x28])]))).toThrow(
    code('ONNX_MALFORMED', /graph\.name: expected UTF-8/),
  );
});

test('cycles, double definitions and undefined reads are errors', () => {
  expect(() => decodeOnnx(model([...node(['b'], 'a'), ...node(['a'], 'b')]))).toThrow(
    code('GRAPH_CYCLE', /^model, node/),
  );
  expect(() => decodeOnnx(model([...node([], 'a'), ...node([], 'a')]))).toThrow(code('GRAPH_DUPLICATE'));
  expect(() => decodeOnnx(model(node(['nowhere'], 'a')))).toThrow(code('GRAPH_UNDEFINED', /^model, node "Op_0"/));
});

test('a function may be defined once', () => {
  const one = block(25, [...block(1, 'F'), ...block(10, 'd')]);
  expect(decodeOnnx(model(node([], 'y'), one)).functions.map(({ op }) => op)).toEqual(['d::F']);
  expect(() => decodeOnnx(model(node([], 'y'), [...one, ...one]))).toThrow(
    code('ONNX_MALFORMED', /functions\[1\].*"d::F" twice/),
  );
});

test('functions that call each other in a circle are malformed, in a chain they are not', () => {
  const calling = (name: string, called: string) =>
    block(25, [...block(1, name), ...block(10, 'd'), ...block(7, [...block(4, called), ...block(7, 'd')])]);
  const chain = [...calling('A', 'B'), ...calling('B', 'C'), ...calling('C', 'Other')];
  expect(decodeOnnx(model(node([], 'y'), chain)).functions).toHaveLength(3);
  const circle = [...calling('A', 'B'), ...calling('B', 'C'), ...calling('C', 'B')];
  expect(() => decodeOnnx(model(node([], 'y'), circle))).toThrow(code('ONNX_MALFORMED', /functions\[1\].*"d::B"/));
});

test('subgraphs nested too deep are refused before the call stack is', () => {
  let graph: readonly number[] = [];
  for (let depth = 0; depth < 200; depth++) {
    graph = node([], `v${depth}`, block(5, [...block(1, 'body'), ...number(20, 5), ...block(6, graph)]));
  }
  expect(() => decodeOnnx(model(graph))).toThrow(code('ONNX_LIMIT', /deep/));
});

test('an initializer may come twice only when both are the same weight', () => {
  const weight = (value: number) =>
    block(5, [...number(1, 1), ...number(2, 1), ...block(8, 'w'), ...block(9, float32(value))]);
  const read = (second: number) =>
    decodeOnnx(
      model([...named(11, 'x'), ...weight(1), ...weight(second), ...node(['x', 'w'], 'y'), ...named(12, 'y')]),
    );
  expect([...read(1).constants.keys()]).toEqual(['w']);
  expect(() => read(2)).toThrow(code('ONNX_MALFORMED', /initializer\[1\].*"w" twice/));
});
