import {
  buildGraph,
  floats,
  fromNumbers,
  int,
  type Port,
  problem,
  type Session,
  type Tensor,
  toNumbers,
} from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { feedOf, findInputs } from './find-inputs.js';

const wishes = { dims: new Map(), values: new Map(), distribution: 'normal', below: 8 } as const;
const port = (name: string, dtype: Port['dtype'], shape: Port['shape']): Port => ({ name, dtype, shape: shape! });

/** A session that accepts feeds for which `accepts` holds, and computes one number from them. */
const session = (
  accepts: (feeds: ReadonlyMap<string, Tensor>) => boolean,
  compute = (_: ReadonlyMap<string, Tensor>) => 1,
): Session => ({
  inputs: [],
  outputs: [{ name: 'y', dtype: 'float32' }],
  async run(feeds) {
    if (!accepts(feeds))
      throw problem('EXECUTOR_FAILED', { where: 'run', expected: 'shapes that fit', found: 'others' });
    return new Map([['y', floats([compute(feeds)])]]);
  },
  async close() {},
});
const shapesOf = (found: Awaited<ReturnType<typeof findInputs>>) =>
  [...(found.plan?.inputs.values() ?? [])].map(({ shape }) => shape);

describe('findInputs', () => {
  it('covers what is cached and what is new with the mask of a decoder', async () => {
    const ports = [
      port('input_ids', 'int64', ['batch_size', 'sequence_length']),
      port('attention_mask', 'int64', ['batch_size', 'total_sequence_length']),
      port('past_key_values.0.key', 'float32', ['batch_size', 4, 'past_sequence_length', 16]),
    ];
    const found = await findInputs(ports, wishes, {
      session: session((feeds) => {
        const [ids, mask, past] = ports.map(({ name }) => feeds.get(name)!.shape);
        return mask![1] === ids![1]! + past![2]!;
      }),
    });
    const [ids, mask, past] = shapesOf(found);
    expect(mask![1]).toBe(ids![1]! + past![2]!);
    expect(past![2]).toBeGreaterThan(0);
  });

  it('feeds one sample at a time where the first axis is open but a trace fixed it', async () => {
    const ports = [port('x', 'float32', ['batch', 8])];
    const fixed = session((feeds) => feeds.get('x')!.shape[0] === 1);
    expect((await findInputs(ports, wishes, { session: fixed })).plan?.stacked).toBe(false);
    expect((await findInputs(ports, wishes, { session: session(() => true) })).plan?.stacked).toBe(true);
  });

  it.each([
    ['a length that is a multiple of 128', (length: number) => length % 128 === 0],
    ['a length of exactly 77', (length: number) => length === 77],
    ['a length of at most 4', (length: number) => length <= 4],
  ])('finds %s by trying', async (_, fits) => {
    const found = await findInputs([port('x', 'float32', ['batch', 's77'])], wishes, {
      session: session((feeds) => fits(feeds.get('x')!.shape[1]!)),
    });
    expect(fits(shapesOf(found)[0]![1]!)).toBe(true);
  });

  it('finds a length that only the constants of the model speak of', async () => {
    const b = buildGraph();
    const x = b.input('x', 'float32', ['batch', 'positions', 4]);
    b.output(b.add('Add', [x, b.constant('table', floats(new Float32Array(41 * 4), [1, 41, 4]))], { name: 'y' }));
    const found = await findInputs([port('x', 'float32', ['batch', 'positions', 4])], wishes, {
      graph: b.finish(),
      session: session((feeds) => feeds.get('x')!.shape[1] === 41),
    });
    expect(shapesOf(found)).toEqual([[1, 41, 4]]);
  });

  it('keeps indices within the table that they pick rows from', async () => {
    const b = buildGraph();
    const ids = b.input('ids', 'int64', ['batch', 'sequence']);
    const cast = b.add('Cast', [ids], { attributes: { to: int(6) } });
    b.output(b.add('Gather', [b.constant('table', floats(new Float32Array(12), [3, 4])), cast], { name: 'y' }));
    const found = await findInputs([port('ids', 'int64', ['batch', 'sequence'])], wishes, { graph: b.finish() });
    const values = [0, 1, 2].flatMap((index) => toNumbers(feedOf(found.plan!, { seed: 1, index }).get('ids')!));
    expect(new Set(values)).toEqual(new Set([0, 1, 2]));
  });

  it('feeds masks of ones, and other values where those give NaN', async () => {
    const ports = [port('x', 'float32', ['batch', 4]), port('attention_mask', 'int64', ['batch', 4])];
    const plain = await findInputs(ports, wishes, { session: session(() => true) });
    expect(plain.plan!.inputs.get('attention_mask')!.fill).toEqual({ kind: 'constant', value: 1 });
    const other = await findInputs(ports, wishes, {
      session: session(
        () => true,
        (feeds) => (toNumbers(feeds.get('attention_mask')!)[0] === 0 ? 1 : Number.NaN),
      ),
    });
    expect(other).toMatchObject({ finite: true });
  });

  it('says so where every value gives NaN, and where nothing runs', async () => {
    const ports = [port('x', 'float32', ['batch', 4])];
    const nan = await findInputs(ports, wishes, {
      session: session(
        () => true,
        () => Number.NaN,
      ),
    });
    expect(nan).toMatchObject({ finite: false });
    const none = await findInputs(ports, wishes, { session: session(() => false) });
    expect(none).toEqual({ reason: expect.stringContaining('shapes that fit') });
  });

  it('never overrules what the user says', async () => {
    const found = await findInputs(
      [port('x', 'float32', ['batch', 'height']), port('sr', 'int64', [])],
      { ...wishes, dims: new Map([['height', 5]]), values: new Map([['sr', 8000]]) },
      { session: session(() => true) },
    );
    expect(shapesOf(found)).toEqual([[1, 5], []]);
    expect(feedOf(found.plan!, { seed: 0, index: 0 }).get('sr')).toEqual(fromNumbers('int64', [], [8000]));
  });

  it('makes samples that differ, and the same ones again for the same seed', async () => {
    const { plan } = await findInputs([port('x', 'float32', ['batch', 4])], wishes);
    const at = (index: number) => toNumbers(feedOf(plan!, { seed: 3, index }).get('x')!);
    expect(at(0)).not.toEqual(at(1));
    expect(at(0)).toEqual(at(0));
  });
});
