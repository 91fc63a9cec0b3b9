import {
  createNode,
  type Graph,
  int,
  type Node,
  type Note,
  pack,
  roundHalfEven,
  scalar,
  type Target,
  type Tensor,
  tensor,
  tensorInfo,
  text,
  toFloats,
  toNumbers,
  type ValueId,
} from '@espalier/core';
import { gridOf } from '@espalier/passes';
import { integersImpossible } from '../errors.js';
import { type GraphWriter, writeGraph } from '../quantized-graph.js';
import { kernelOf } from '../static/kernel-of.js';
import { staticRuleOf } from '../static/static-rules.js';
import type { LatticeWeight } from './lattice-weights.js';
import type { Settled } from './settle-lattices.js';

/** The choices of a file. */
export interface IntegerSettings {
  readonly target: Target;
  /** Whether weights of 4 bits or fewer are stored as int4. */
  readonly packed: boolean;
}

/** The grid of a value in the file. */
interface ValueGrid {
  readonly scale: number;
  /** The highest code. */
  readonly high: number;
  readonly scaleName: ValueId;
  readonly zeroName: ValueId;
}

interface Writing {
  readonly graph: Graph;
  readonly settings: IntegerSettings;
  readonly writer: GraphWriter;
  readonly weights: ReadonlyMap<string, LatticeWeight>;
  readonly grids: Map<ValueId, ValueGrid>;
  readonly replaced: Set<ValueId>;
  /** Readers of a value read this instead. */
  readonly instead: Map<ValueId, ValueId>;
  readonly written: Map<string, ValueId>;
  readonly notes: Note[];
}

/**
 * Writes each fake-quantizer in place: activations as QuantizeLinear, a Clip of the codes where they are fewer than
 * their type holds, and DequantizeLinear; weights as codes with a lone DequantizeLinear; biases of layers whose inputs
 * are all on grids as int32. Ops that only move elements get a pair behind them, so that they work on codes.
 */
export function writeIntegers({ graph, weights }: Settled, settings: IntegerSettings) {
  const writing: Writing = {
    graph,
    settings,
    writer: writeGraph(graph),
    weights,
    grids: new Map(),
    replaced: new Set(),
    instead: new Map(),
    written: new Map(),
    notes: [],
  };
  for (const node of graph.nodes) {
    if (node.op === 'espalier::FakeQuantize') writeActivation(writing, node);
    else writeOther(writing, node);
  }
  const opsets = new Map([...graph.opsets].filter(([domain]) => domain !== 'espalier' || stillOurs(graph)));
  return { graph: writing.writer.finish(writing.replaced, opsets), notes: writing.notes };
}

const stillOurs = (graph: Graph): boolean =>
  graph.nodes.some(({ op }) => op.startsWith('espalier::') && op !== 'espalier::FakeQuantize');

function writeActivation(writing: Writing, node: Node): void {
  const { graph, writer, instead, grids, settings } = writing;
  const [from, by, zeroFrom] = node.inputs;
  const output = node.outputs[0]!; // as inference checked
  const scales = graph.constants.get(by!);
  const { low, high, bits, signed } = gridOf(node);
  const zeroPoint = zeroPointOf(writing, zeroFrom);
  if (scales?.data.length !== 1 || zeroPoint === undefined || bits > 8) {
    throw integersImpossible(node, 'one constant scale, a constant zero point and at most 8 bits');
  }
  const scale = toFloats(scales)[0]!;
  const type = signed ? 'int8' : 'uint8';
  const code = (value: number): Tensor =>
    signed ? tensor('int8', [], Int8Array.of(value)) : tensor('uint8', [], Uint8Array.of(value));
  const gridAt = (by: number): ValueGrid => {
    const shared = `grid ${scale / by} ${zeroPoint * by} ${type}`;
    return {
      scale: scale / by,
      high: (high + 1) * by - 1,
      scaleName: once(writing, `${shared} scale`, () => writer.constant(`${output}_scale`, scalar(scale / by))),
      zeroName: once(writing, `${shared} zero`, () => writer.constant(`${output}_zero_point`, code(zeroPoint * by))),
    };
  };
  const grid = gridAt(1);
  const shape = tensorInfo(graph, output)?.shape;
  const info = (value: ValueId, dtype: 'float32' | typeof type) =>
    writer.info(value, { dtype, ...(shape ? { shape } : {}) });
  let codes = writer.fresh(`${output}_quantized`);
  info(codes, type);
  writer.emitRedirected(
    createNode({
      id: writer.fresh(`${output}_QuantizeLinear`),
      op: 'QuantizeLinear',
      inputs: [from, grid.scaleName, grid.zeroName],
      outputs: [codes],
    }),
    instead,
  );
  if (low > (signed ? -128 : 0) || high < (signed ? 127 : 255)) {
    const bound = (value: number) =>
      once(writing, `bound ${type} ${value}`, () => writer.constant(`${type}_${value}`, code(value)));
    const clipped = writer.fresh(`${output}_clipped`);
    info(clipped, type);
    writer.emit(
      createNode({
        id: writer.fresh(`${output}_Clip`),
        op: 'Clip',
        inputs: [codes, bound(low), bound(high)],
        outputs: [clipped],
      }),
    );
    codes = clipped;
  }
  const shift = !signed && settings.target.integer.bias === 'int32-product' ? 8 - bits : 0;
  if (shift > 0) {
    // The same lattice in steps of a power of two, so that biases have finer steps.
    const by = once(writing, `shift ${shift}`, () => writer.constant(`shift_${shift}`, code(shift)));
    const shifted = writer.fresh(`${output}_shifted`);
    info(shifted, type);
    writer.emit(
      createNode({
        id: writer.fresh(`${output}_BitShift`),
        op: 'BitShift',
        inputs: [codes, by],
        outputs: [shifted],
        attributes: { direction: text('LEFT') },
      }),
    );
    codes = shifted;
  }
  const finer = gridAt(2 ** shift);
  writer.emit(
    createNode({
      id: node.id,
      op: 'DequantizeLinear',
      inputs: [codes, finer.scaleName, finer.zeroName],
      outputs: [output],
    }),
  );
  grids.set(output, finer);
}

/** The zero point of an activation: a constant, also where it was learned, for its lattice is settled by now. */
function zeroPointOf({ graph }: Writing, value: ValueId | undefined): number | undefined {
  if (value === undefined) return 0;
  const constant = graph.constants.get(value);
  return constant && toNumbers(constant)[0];
}

function once(writing: Writing, key: string, make: () => ValueId): ValueId {
  const known = writing.written.get(key);
  if (known !== undefined) return known;
  const value = make();
  writing.written.set(key, value);
  return value;
}

function writeOther(writing: Writing, node: Node): void {
  const { graph, writer, weights, instead, settings } = writing;
  const lattice = weights.get(node.id);
  writer.emitRedirected(lattice ? withIntegerWeight(writing, node, lattice) : node, instead);
  const rule = staticRuleOf(node.op);
  const input = node.inputs[0];
  const grid = input === undefined ? undefined : writing.grids.get(instead.get(input) ?? input);
  if (rule?.role !== 'pass' || !grid || !kernelOf(settings.target, node, rule)) return;
  for (const value of node.outputs) {
    if (value === undefined || graph.outputs.includes(value)) continue;
    writePair(writing, value, grid);
  }
}

/** The same grid again behind an op that moves codes. */
function writePair({ graph, writer, grids, instead }: Writing, value: ValueId, grid: ValueGrid): void {
  const shape = tensorInfo(graph, value)?.shape;
  const known = shape ? { shape } : {};
  const codes = writer.fresh(`${value}_quantized`);
  const output = writer.fresh(`${value}_dequantized`);
  writer.info(output, { dtype: 'float32', ...known });
  const by = [grid.scaleName, grid.zeroName];
  writer.emit(
    createNode({
      id: writer.fresh(`${value}_QuantizeLinear`),
      op: 'QuantizeLinear',
      inputs: [value, ...by],
      outputs: [codes],
    }),
    createNode({
      id: writer.fresh(`${output}_DequantizeLinear`),
      op: 'DequantizeLinear',
      inputs: [codes, ...by],
      outputs: [output],
    }),
  );
  grids.set(output, grid);
  instead.set(value, output);
}

function withIntegerWeight(writing: Writing, node: Node, lattice: LatticeWeight): Node {
  const { writer, replaced, notes, settings } = writing;
  const name = node.inputs[1]!; // settled there
  const { codes, scale, axis, shape, bits } = lattice;
  let [least, most] = [0, 0];
  for (const code of codes) [least, most] = [Math.min(least, code), Math.max(most, code)];
  if (least < -128 || most > 127) throw integersImpossible(node, 'codes that int8 holds');
  const small = settings.packed && least >= -8 && most <= 7 && bits <= 4;
  const grid = gridRead(writing, node);
  const factor = node.inputs[2] === undefined ? 1 : finerBy(Math.max(-least, most), grid?.high ?? 255);
  const finer = Float32Array.from(scale, (each) => each / factor);
  const key = `weight ${name}|${[...finer].join()}|${axis}`;
  const output = once(writing, key, () => {
    const restored = writer.fresh(`${name}_dequantized`);
    writer.info(restored, { dtype: 'float32', shape });
    let integers: ValueId;
    if (small) {
      const stored = writer.constant(`${name}_quantized`, tensor('int4', shape, pack(codes, 4)));
      integers = unpacked(writer, name, { stored, factor, shape });
    } else {
      integers = writer.constant(
        `${name}_quantized`,
        tensor(
          'int8',
          shape,
          Int8Array.from(codes, (code) => code * factor),
        ),
      );
    }
    const sizes = axis === undefined ? [] : [scale.length];
    const zeros = tensor('int8', sizes, new Int8Array(scale.length));
    writer.emit(
      createNode({
        id: writer.fresh(`${name}_DequantizeLinear`),
        op: 'DequantizeLinear',
        inputs: [
          integers,
          writer.constant(`${name}_scale`, tensor('float32', sizes, finer)),
          writer.constant(`${name}_zero_point`, zeros),
        ],
        outputs: [restored],
        ...(axis === undefined ? {} : { attributes: { axis: int(axis) } }),
      }),
    );
    return restored;
  });
  replaced.add(name);
  const stored = small ? 4 : 8;
  notes.push({
    node: node.id,
    op: node.op,
    outcome: 'quantized',
    reason: `${bits}-bit weights, one scale per ${axis === undefined ? 'tensor' : 'channel'}, stored in ${stored} bits${
      stored === 8 && bits < 8 ? ' on their coarser grid' : ''
    }.`,
    details: { weightBits: bits, storedBits: stored, granularity: axis === undefined ? 'tensor' : 'channel' },
  });
  const inputs = node.inputs.map((each, slot) => (slot === 1 ? output : each));
  return { ...node, inputs: withBias(writing, node, { inputs, scale: finer }) };
}

/**
 * The power of two that codes are multiplied by, and scales divided by, where a bias is rounded to the product of the
 * scales: the lattice stays the same and the bias has finer steps. Processors without VNNI add two products of 8 bits
 * in 16, and do not saturate: beside codes of 8 bits those of weights stay within 64. For codes up to 7 it is then 8.
 */
const finerBy = (largest: number, beside: number): number =>
  2 ** Math.max(0, Math.floor(Math.log2((beside > 127 ? 64 : 127) / Math.max(1, largest))));

/** The grid of what a layer reads. */
const gridRead = ({ grids, instead }: Writing, { inputs: [data = ''] }: Node): ValueGrid | undefined =>
  grids.get(instead.get(data) ?? data);

/** int4 codes as int8, multiplied: nodes that the runtime computes once, when it loads the file. */
function unpacked(
  writer: GraphWriter,
  name: ValueId,
  { stored, factor, shape }: { readonly stored: ValueId; readonly factor: number; readonly shape: readonly number[] },
): ValueId {
  const step = (op: string, inputs: readonly ValueId[], dtype: 'int8' | 'int32', to?: number): ValueId => {
    const output = writer.fresh(`${name}_${dtype}`);
    writer.info(output, { dtype, shape });
    const attributes = to === undefined ? {} : { attributes: { to: int(to) } };
    writer.emit(createNode({ id: writer.fresh(`${name}_${op}`), op, inputs, outputs: [output], ...attributes }));
    return output;
  };
  const [int8, int32] = [3, 6]; // of ONNX's table of types
  if (factor === 1) return step('Cast', [stored], 'int8', int8);
  const wide = step('Cast', [stored], 'int32', int32);
  const factors = writer.constant(`${name}_factor`, tensor('int32', [], Int32Array.of(factor)));
  return step('Cast', [step('Mul', [wide, factors], 'int32')], 'int8', int8);
}

/** The bias as int32 with the product of the scales, where it fits; half a step of the sums is what that costs. */
function withBias(
  writing: Writing,
  node: Node,
  { inputs, scale }: { readonly inputs: readonly (ValueId | undefined)[]; readonly scale: Float32Array },
): readonly (ValueId | undefined)[] {
  const { graph, writer, settings, replaced } = writing;
  const name = node.inputs[2];
  const bias = graph.constants.get(name ?? '');
  const grid = gridRead(writing, node);
  if (!bias || name === undefined || !grid || settings.target.integer.bias === 'float' || bias.shape.length !== 1) {
    return inputs;
  }
  if (node.op === 'Gemm' && ['alpha', 'beta'].some((each) => (node.attributes.get(each)?.value ?? 1) !== 1))
    return inputs;
  const values = toFloats(bias);
  const products = Float32Array.from(scale, (each) => Math.fround(each * grid.scale));
  const at = (i: number) => (products.length === 1 ? 0 : i);
  if (products.length > 1 && products.length !== values.length) return inputs;
  const codes = values.map((value, i) => roundHalfEven(value / products[at(i)]!));
  if (codes.some((code) => Math.abs(code) >= 2 ** 31 - 1)) return inputs;
  const output = writer.fresh(`${name}_dequantized`);
  writer.info(output, { dtype: 'float32', shape: bias.shape });
  const sizes = products.length === 1 ? [] : [products.length];
  writer.emit(
    createNode({
      id: writer.fresh(`${name}_DequantizeLinear`),
      op: 'DequantizeLinear',
      inputs: [
        writer.constant(`${name}_quantized`, tensor('int32', bias.shape, Int32Array.from(codes))),
        writer.constant(`${name}_scale`, tensor('float32', sizes, products)),
        writer.constant(`${name}_zero_point`, tensor('int32', sizes, new Int32Array(products.length))),
      ],
      outputs: [output],
      ...(sizes.length === 0 ? {} : { attributes: { axis: int(0) } }),
    }),
  );
  replaced.add(name);
  return inputs.map((each, slot) => (slot === 2 ? output : each));
}
