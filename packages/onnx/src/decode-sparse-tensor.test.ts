import { expect, test } from 'vitest';
import { block, float32, model, number, varint } from '../test/protobuf.js';
import { decodeOnnx } from './decode-onnx.js';

const values = (numbers: readonly number[]) =>
  block(1, [...number(1, numbers.length), ...number(2, 1), ...block(8, 'w'), ...block(9, numbers.flatMap(float32))]);
const indices = (dims: readonly number[], places: readonly number[]) =>
  block(2, [...dims.flatMap((dim) => number(1, dim)), ...number(2, 7), ...block(7, places.flatMap(varint))]);
const dims = (...sizes: number[]) => sizes.flatMap((size) => number(3, size));
const sparse = (...fields: readonly (readonly number[])[]) =>
  model([...block(15, fields.flat()), ...block(12, block(1, 'w'))]);
const read = (file: Uint8Array, maxDenseBytes?: number) =>
  decodeOnnx(file, maxDenseBytes === undefined ? {} : { maxDenseBytes }).constants.get('w');

test('places in row-major order and rows of coordinates give the same dense weights', () => {
  const dense = { dtype: 'float32', shape: [2, 3], data: new Float32Array([0, 1, 0, 0, 0, 2]) };
  expect(read(sparse(values([1, 2]), indices([2], [1, 5]), dims(2, 3)))).toEqual(dense);
  expect(read(sparse(values([1, 2]), indices([2, 2], [0, 1, 1, 2]), dims(2, 3)))).toEqual(dense);
});

test('indices outside the shape are malformed', () => {
  for (const file of [
    sparse(values([1]), indices([1], [6]), dims(2, 3)),
    sparse(values([1]), indices([1], [-1]), dims(2, 3)),
    sparse(values([1]), indices([1, 2], [0, 3]), dims(2, 3)),
    sparse(values([1]), indices([2], [0, 1]), dims(2, 3)),
    sparse(values([1]), dims(2, 3)),
    sparse(indices([1], [0]), dims(2, 3)),
  ]) {
    expect(() => read(file)).toThrow(expect.objectContaining({ code: 'ONNX_MALFORMED' }));
  }
});

test('a small file cannot ask for much memory', () => {
  const file = sparse(values([1]), indices([1], [0]), dims(2 ** 30));
  expect(file.length).toBeLessThan(100);
  expect(() => read(file)).toThrow(expect.objectContaining({ code: 'ONNX_LIMIT' }));
});

test('the bound counts all sparse weights together, and can be moved', () => {
  const file = sparse(values([1]), indices([1], [0]), dims(1000));
  expect(read(file, 4000)?.shape).toEqual([1000]);
  expect(() => read(file, 3999)).toThrow(expect.objectContaining({ code: 'ONNX_LIMIT' }));
});

test("a Constant's sparse value becomes its dense value", () => {
  const sparseTensor = [...values([3]), ...indices([1], [1]), ...dims(2)];
  const attribute = [...block(1, 'sparse_value'), ...number(20, 11), ...block(22, sparseTensor)];
  const node = [...block(2, 'y'), ...block(4, 'Constant'), ...block(5, attribute)];
  const graph = decodeOnnx(model([...block(1, node), ...block(12, block(1, 'y'))]));
  expect([...graph.nodes[0]!.attributes]).toEqual([
    ['value', { kind: 'tensor', value: { dtype: 'float32', shape: [2], data: new Float32Array([0, 3]) } }],
  ]);
});
