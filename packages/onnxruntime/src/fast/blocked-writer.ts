import {
  type Attribute,
  createNode,
  type Dim,
  type Draft,
  type Emitter,
  emitter,
  floats,
  type Graph,
  int,
  type Node,
  sizeOf,
  tensor,
  tensorInfo,
  type ValueId,
} from '@espalier/core';

/**
 * Writes nodes over blocked values. The blocked form of a value [N, C, H, W] holds the same numbers as
 * [N, C/B, H, W, B]: B channels side by side, as the runtime's NCHWc ops take and give them. To the runtime it still
 * has the shape [N, C, H, W], so ops that act on each element alone need not know. Channels that fill no block are
 * followed by others, up to a whole one; filters are zero there.
 */
export interface BlockedWriter extends Pick<Emitter, 'emit' | 'emitAs' | 'longs'> {
  readonly graph: Graph;
  /** Adds a node whose outputs have these names, or fresh ones where none is given; returns all names. */
  emitNamed(
    op: string,
    inputs: readonly (ValueId | undefined)[],
    want: {
      readonly outputs: readonly (ValueId | undefined)[];
      readonly attributes: Readonly<Record<string, Attribute>>;
    },
  ): readonly ValueId[];
  /** B, the channels that stand side by side. */
  readonly block: number;
  /** The shape of a float32 value [N, C, H, W] whose sizes but the batch's are known; undefined for any other. */
  image(value: ValueId | undefined): Image | undefined;
  /** Whether an image has enough channels for its blocked form to be worth it. */
  fills(image: Pick<Image, 'channels'>): boolean;
  /** Whether a value exists in blocked form already. */
  isBlocked(value: ValueId): boolean;
  /** The blocked form of a value, converted where need be. */
  blocked(value: ValueId): ValueId;
  /** Has a value exist in plain form before the nodes written next, which read it so. */
  plain(value: ValueId): void;
  /** Says that `blocked` is the blocked form of a value of the graph, which is converted back only where it is read so. */
  give(value: ValueId | undefined, blocked: ValueId): void;
  /** Marks the result of an Add whose inputs both have its shape, so that a convolution may do it. */
  noteSum(value: ValueId): void;
  /** Whole numbers below 2^31, as an index of shape `shape`. */
  index(values: Int32Array, shape: readonly number[]): ValueId;
  /** A tensor filled with one number. */
  full(value: number, shape: readonly number[]): ValueId;
}

/** The sizes of an image batch. */
export interface Image {
  readonly batch: Dim;
  readonly channels: number;
  /** Channels of the blocked form: whole blocks. What is beyond `channels` is finite and must not be read. */
  readonly padded: number;
  readonly height: number;
  readonly width: number;
}

// A block is filled up to this many times the channels: blocked convolutions gain more than that over plain ones.
const mostPadding = 2;

/** The domain of the runtime's ops over blocked values. */
export const blockedDomain = 'com.microsoft.nchwc';

/** The operands of a Slice that leaves the padding out along an axis. */
export const firstChannels = (w: BlockedWriter, { channels }: Image, axis: number): readonly ValueId[] =>
  [[0], [channels], [axis]].map(w.longs);

/** A writer whose nodes replace or precede those of the graph it walks; the driver tells it where it stands. */
export interface OpenWriter extends BlockedWriter {
  /** Names the nodes written next after the op they stand for. */
  at(op: string): void;
  /** The nodes written since the last call. */
  take(): readonly Node[];
  /** The sums passed to `noteSum`. */
  readonly sums: ReadonlySet<ValueId>;
}

/** Opens a writer on a draft of a graph. */
export function openWriter(graph: Graph, draft: Draft, block: number): OpenWriter {
  const blockedForm = new Map<ValueId, ValueId>();
  const onlyBlocked = new Set<ValueId>();
  const indices = new Map<string, readonly { readonly name: ValueId; readonly table: Int32Array }[]>();
  const sums = new Set<ValueId>();
  let nodes: Node[] = [];
  const e = emitter({ ...draft, append: (...more) => void nodes.push(...more) }, { prefix: 'blocked' });
  let here = e;

  const emit: BlockedWriter['emit'] = (op, inputs, attributes) => here.emit(op, inputs, attributes);
  const full: BlockedWriter['full'] = (value, shape) =>
    e.once(`full ${value}:${shape}`, () =>
      draft.constant('blocked/constant', floats(new Float32Array(sizeOf(shape)).fill(value), shape)),
    );
  /** An image with channels of zeros behind its own, up to a multiple of 4, which the conversion needs. */
  const inFours = (value: ValueId): ValueId => {
    const [batch, channels, ...size] = tensorInfo(graph, value)!.shape as readonly [Dim, number, number, number]; // an image
    const missing = (4 - (channels % 4)) % 4;
    if (missing === 0) return value;
    const many = typeof batch === 'number' ? undefined : emit('Gather', [emit('Shape', [value]), e.longs([0])]);
    const zeros = many
      ? emit('Expand', [full(0, []), emit('Concat', [many, e.longs([missing, ...size])], { axis: int(0) })])
      : full(0, [batch as number, missing, ...size]);
    return emit('Concat', [value, zeros], { axis: int(1) });
  };
  return {
    graph,
    block,
    sums,
    emit,
    at(op) {
      here = e.under(`blocked/${op.replace(/^.*::/, '')}`);
    },
    noteSum: (value) => void sums.add(value),
    image(value) {
      const info = value === undefined ? undefined : tensorInfo(graph, value);
      if (info?.dtype !== 'float32' || info.shape?.length !== 4) return undefined;
      const [batch, channels, height, width] = info.shape as [Dim, Dim, Dim, Dim]; // four
      if (typeof channels !== 'number' || typeof height !== 'number' || typeof width !== 'number') return undefined;
      return { batch, channels, padded: Math.ceil(channels / block) * block, height, width };
    },
    fills: ({ channels }) => channels * mostPadding >= block,
    isBlocked: (value) => blockedForm.has(value),
    blocked(value) {
      let form = blockedForm.get(value);
      if (form === undefined) {
        form = emit(`${blockedDomain}::ReorderInput`, [inFours(value)]);
        blockedForm.set(value, form);
      }
      return form;
    },
    give(value, form) {
      if (value === undefined) return;
      blockedForm.set(value, form);
      onlyBlocked.add(value);
    },
    emitAs: e.emitAs,
    emitNamed(op, inputs, { outputs: wanted, attributes }) {
      const outputs = wanted.map((name, i) => name ?? draft.fresh(`blocked/${op.replace(/^.*::/, '')}_${i}`));
      nodes.push(
        createNode({ id: draft.fresh(`blocked/${op.replace(/^.*::/, '')}`), op, inputs, outputs, attributes }),
      );
      return outputs;
    },
    longs: e.longs,
    index(values, shape) {
      const key = `x${shape.join()}:${hash(values)}`;
      const same = (indices.get(key) ?? []).find(({ table }) => table.every((entry, i) => entry === values[i]));
      if (same) return same.name;
      const name = draft.constant('blocked/index', tensor('int32', shape, values));
      indices.set(key, [...(indices.get(key) ?? []), { name, table: values }]);
      return name;
    },
    full,
    take() {
      const taken = nodes;
      nodes = [];
      return taken;
    },
    plain(value) {
      if (!onlyBlocked.delete(value)) return;
      const channels = tensorInfo(graph, value)!.shape![1] as number; // only images are blocked
      e.emitAs(value, `${blockedDomain}::ReorderOutput`, [blockedForm.get(value)!], { channels: int(channels) });
    },
  };
}

// FNV-1a over all entries.
function hash(values: Int32Array): number {
  let sum = 0x811c9dc5;
  for (const value of values) sum = Math.imul(sum ^ value, 0x01000193);
  return sum;
}
