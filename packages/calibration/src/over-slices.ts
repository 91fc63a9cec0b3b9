import {
  type Adder,
  buildGraph,
  type DType,
  type StatisticsGraph,
  type Tensor,
  tensor,
  type ValueId,
} from '@espalier/core';

/** The treatment of each slice. */
export interface Slicing {
  /** The value that is cut along its first axis. */
  readonly value: ValueId;
  /** Further values with as many entries on the first axis, cut alike. */
  readonly beside?: readonly ValueId[];
  /** An int64[1] value: how many entries of the first axis a slice has; the last slice may have fewer. */
  readonly rows: ValueId;
  /** Values that go from slice to slice: their first value, and their type. */
  readonly carried: readonly { readonly from: ValueId; readonly dtype: DType }[];
  /** The number of values of each slice that are stacked into one result. */
  readonly stacked: number;
  /** Adds the nodes for one slice; returns the new carried values, then those to stack. */
  body(slice: ValueId, carried: readonly ValueId[], into: Adder, beside: readonly ValueId[]): readonly ValueId[];
}

/**
 * Works through a value in slices with a Loop node, so that temporary tensors stay as small as a slice, whatever
 * the size of the value. Returns the last carried values, then the stacked ones.
 */
export function overSlices(
  { builder, longs, once }: StatisticsGraph,
  { value, beside = [], rows, carried, stacked, body }: Slicing,
): readonly ValueId[] {
  const name = builder.fresh(`${value}/slices`);
  const inner = buildGraph();
  const into: Adder = {
    // Names must be unique across the graph and the bodies within it.
    add: (op, inputs, options = {}) =>
      inner.add(op, inputs, { ...options, name: builder.fresh(options.name ?? `${name}/${op}`) }),
  };
  const zero = longs([0]);
  const one = longs([1]);

  const step = inner.input(builder.fresh(`${name}/step`), 'int64', []);
  const go = inner.input(builder.fresh(`${name}/go`), 'bool', []);
  const before = carried.map(({ dtype }) => {
    const state = inner.input(builder.fresh(`${name}/carried`), dtype, []);
    inner.info(state, { dtype });
    return state;
  });
  const start = into.add('Mul', [step, rows]);
  const end = into.add('Add', [start, rows]);
  const [slice, ...more] = [value, ...beside].map((each) => into.add('Slice', [each, start, end, zero]));
  const after = body(slice!, before, into, more); // there is a value
  inner.output(into.add('Identity', [go]));
  for (const result of after) inner.output(result);

  // Slices: the size of the first axis divided by `rows`, rounded up.
  const first = builder.add('Slice', [builder.add('Shape', [value]), zero, one]);
  const rounded = builder.add('Div', [builder.add('Sub', [builder.add('Add', [first, rows]), one]), rows]);
  const count = builder.add('Squeeze', [rounded, zero]);
  const yes = once('true', () => builder.constant('true', truth));
  return builder.addAll('Loop', [count, yes, ...carried.map(({ from }) => from)], {
    name,
    attributes: { body: { kind: 'graph', value: { ...inner.finish(), opsets: new Map() } } },
    outputs: carried.length + stacked,
  });
}

const truth: Tensor = tensor('bool', [], new Uint8Array([1]));
