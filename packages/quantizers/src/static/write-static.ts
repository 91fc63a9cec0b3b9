import {
  createNode,
  editGraph,
  floatOf,
  type Graph,
  type Node,
  type Range,
  type Target,
  tensorInfo,
  toFloats,
  usesOf,
  type ValueId,
} from '@espalier/core';
import { type Affine, affineOf } from '../affine.js';
import { perTensor } from '../granularity.js';
import { storageOf } from '../grid.js';
import { madeConstants } from '../made-constants.js';
import { quantizeTensor } from '../quantize-tensor.js';
import { type GraphWriter, writeGraph } from '../quantized-graph.js';
import { scaleConstants } from '../scale-constants.js';
import { rowsNode } from '../write-rows.js';
import { convolutionFor } from './batch-norm-unit.js';
import type { Unit } from './find-units.js';
import { writeGate, writeQuantizedGate } from './hard-gate.js';
import { isStored } from './is-stored.js';
import { keepFloat } from './keep-float.js';
import type { StaticPlan } from './plan-static.js';
import type { StaticSettings } from './static-settings.js';
import { createWeightWriter, type WeightWriter } from './write-weights.js';

interface Parameters extends Affine {
  /** Names of the constants. */
  readonly scaleName: ValueId;
  readonly zeroPointName: ValueId;
}

interface Writing {
  readonly graph: Graph;
  readonly plan: StaticPlan;
  readonly settings: StaticSettings;
  readonly writer: GraphWriter;
  readonly weights: WeightWriter;
  /** Parameters of a quantized value. */
  readonly parameters: (value: ValueId) => Parameters;
  /** The integers of a quantized value. */
  readonly integers: Map<ValueId, ValueId>;
  /** The replacement that integer readers of a value read. */
  readonly dequantized: Map<ValueId, ValueId>;
  /** Values that units write: every reader, float ones too, reads them dequantized, else nothing would fuse. */
  readonly owned: Map<ValueId, ValueId>;
  readonly replaced: Set<ValueId>;
  readonly constants: Map<ValueId, ValueId>;
}

/** Writes the plan: Q/DQ pairs on activations, integer weights and biases with a lone DequantizeLinear. */
export function writeStatic(
  given: Graph,
  {
    plan: planned,
    settings,
    turned,
    rangeOf,
  }: {
    readonly plan: StaticPlan;
    readonly settings: StaticSettings;
    /** Weights that are stored tables with their axes exchanged. */
    readonly turned: ReadonlyMap<ValueId, ValueId>;
    readonly rangeOf: (value: ValueId) => Range;
  },
): Graph {
  const { graph, plan } = withConvolutions(given, planned, settings.target);
  const writer = writeGraph(graph);
  const replaced = new Set<ValueId>();
  const made = madeConstants();
  const rows = { clip: settings.clip, perRow: settings.perChannel };
  const writing: Writing = {
    graph,
    plan,
    settings,
    writer,
    weights: createWeightWriter(graph, { writer, settings, turned, replaced, made }),
    parameters: parametersOf({ plan, settings, rangeOf, writer }),
    integers: new Map(),
    dequantized: new Map(),
    owned: new Map(),
    replaced,
    constants: new Map(),
  };
  const tails = new Map<string, Unit>();
  for (const unit of plan.units.values()) if (unit.tail) tails.set(unit.tail.id, unit);
  for (const value of graph.inputs) if (plan.values.has(value)) writePair(writing, value, value);
  for (const node of graph.nodes) {
    const unit = plan.units.get(node.id);
    const closing = tails.get(node.id) ?? (unit?.tail ? undefined : unit);
    if (unit) writeUnit(writing, unit, closing);
    else if (node.op === 'Gather' && isStored(graph, node, settings)) {
      writeOutputs(writing, rowsNode({ graph, writer, replaced, made }, node, rows), closing);
    } else writeOutputs(writing, keepFloat(writing, writing.weights.stored(node)), closing);
  }
  return writer.finish(replaced);
}

// Batch normalizations among the units become convolutions, with constants of their own.
function withConvolutions(
  graph: Graph,
  plan: StaticPlan,
  target: Target,
): { readonly graph: Graph; readonly plan: StaticPlan } {
  const { fresh } = editGraph(graph);
  const replacements = [...plan.units.values()]
    .filter(({ node, kernel }) => node.op === 'BatchNormalization' && kernel.rewritten)
    .map((unit) => convolutionFor(graph, unit, { target, fresh }));
  if (replacements.length === 0) return { graph, plan };
  const units = new Map(plan.units);
  const constants = new Map(graph.constants);
  for (const replacement of replacements) {
    units.set(replacement.unit.node.id, replacement.unit);
    for (const [value, tensor] of replacement.constants) constants.set(value, tensor);
  }
  return { graph: { ...graph, constants }, plan: { ...plan, units } };
}

function writeUnit(writing: Writing, unit: Unit, closing: Unit | undefined): void {
  const { node, kernel } = unit;
  if (!kernel.rewritten) {
    writeOutputs(writing, withIntegerInputs(writing, unit), closing);
    return;
  }
  const input = node.inputs[0]!;
  const { scale, zeroPointName } = writing.parameters(input);
  const quantized = { integers: writing.integers.get(input)!, scale, zeroPointName }; // every input has its pair by now
  const gate = { writer: writing.writer, grid: writing.settings.activations, name: node.outputs[0]!, quantized };
  if (node.op === 'HardSigmoid') {
    const slope = { alpha: floatOf(node, 'alpha', 0.2), beta: floatOf(node, 'beta', 0.5) };
    writeOutputs(writing, { ...writeGate({ ...gate, ...slope }), id: node.id, outputs: node.outputs }, closing);
    return;
  }
  const opened = writeQuantizedGate({ ...gate, alpha: 1 / 6, beta: 0.5 });
  const inputs = [writing.dequantized.get(input)!, opened];
  writeOutputs(writing, createNode({ id: node.id, op: 'Mul', inputs, outputs: node.outputs }), closing);
}

// Emits a node and the Q/DQ pairs of what it writes.
function writeOutputs(writing: Writing, node: Node, closing: Unit | undefined): void {
  const { graph, plan, writer } = writing;
  const pairs: (readonly [from: ValueId, value: ValueId])[] = [];
  const outputs = node.outputs.map((value) => {
    if (value === undefined || !plan.values.has(value)) return value;
    // A unit must not write a graph output itself: the runtime fuses only what it may remove.
    const renamed = closing && graph.outputs.includes(value) ? writer.fresh(`${value}_float`) : value;
    const info = renamed === value ? undefined : tensorInfo(graph, value);
    if (info) writer.info(renamed, info);
    pairs.push([renamed, value]);
    return renamed;
  });
  const same = outputs.every((value, i) => value === node.outputs[i]);
  writer.emitRedirected(same ? node : { ...node, outputs }, writing.owned);
  for (const [from, value] of pairs) writePair(writing, from, value, closing !== undefined);
}

function writePair(writing: Writing, from: ValueId, value: ValueId, owned = false): void {
  const { graph, plan, writer, settings } = writing;
  const { scaleName, zeroPointName } = writing.parameters(value);
  const info = tensorInfo(graph, value);
  const integers = writer.fresh(`${value}_quantized`);
  const shape = info?.shape ? { shape: info.shape } : {};
  writing.integers.set(value, integers);
  writer.info(integers, { dtype: storageOf(settings.activations), ...shape });
  const quantize = writer.fresh(`${value}_QuantizeLinear`);
  writer.emit(
    createNode({ id: quantize, op: 'QuantizeLinear', inputs: [from, scaleName, zeroPointName], outputs: [integers] }),
  );
  const restore = (output: ValueId) =>
    createNode({
      id: writer.fresh(`${output}_DequantizeLinear`),
      op: 'DequantizeLinear',
      inputs: [integers, scaleName, zeroPointName],
      outputs: [output],
    });
  if (from !== value) writer.emit(restore(value));
  const read = from === value || plan.units.size === 0 || usesOf(graph, value).length > 0;
  if (!read) return;
  const name = writer.fresh(`${value}_dequantized`);
  writer.info(name, { dtype: 'float32', ...shape });
  writer.emit(restore(name));
  writing.dequantized.set(value, name);
  if (owned) writing.owned.set(value, name);
}

function parametersOf({
  plan,
  settings,
  rangeOf,
  writer,
}: {
  readonly plan: StaticPlan;
  readonly settings: StaticSettings;
  readonly rangeOf: (value: ValueId) => Range;
  readonly writer: GraphWriter;
}): (value: ValueId) => Parameters {
  const known = new Map<ValueId, Parameters>();
  return (value) => {
    const root = plan.values.get(value) ?? value;
    let found = known.get(root);
    if (!found) {
      const affine = affineOf(plan.fixed.get(root) ?? rangeOf(root), settings.activations);
      const scales = { scale: Float32Array.of(affine.scale), zeroPoint: Int32Array.of(affine.zeroPoint) };
      const { scale, zeroPoint } = scaleConstants(scales, [], storageOf(settings.activations));
      found = {
        ...affine,
        scaleName: writer.constant(`${root}_scale`, scale),
        zeroPointName: writer.constant(`${root}_zero_point`, zeroPoint),
      };
      known.set(root, found);
    }
    return found;
  };
}

function withIntegerInputs(writing: Writing, unit: Unit): Node {
  const { graph, plan, weights } = writing;
  const { node, slots, rule } = unit;
  const inputs = [...node.inputs];
  for (const slot of slots) {
    const value = node.inputs[slot]!;
    inputs[slot] = graph.constants.has(value)
      ? constantOperand(writing, value)
      : (writing.dequantized.get(value) ?? value);
  }
  if (rule.role !== 'anchor' || !graph.constants.has(node.inputs[1] ?? '')) return { ...node, inputs };
  const source = node.inputs[0]!;
  const scale = plan.values.has(source) ? writing.parameters(source).scale : undefined;
  return weights.quantized({ ...node, inputs }, { inputScale: scale, kernel: unit.kernel });
}

// A constant operand of Add, Mul, Concat or Where, on the activation grid.
function constantOperand(writing: Writing, value: ValueId): ValueId {
  const { graph, writer, settings, replaced, constants } = writing;
  const known = constants.get(value);
  if (known !== undefined) return known;
  const source = graph.constants.get(value)!;
  const values = toFloats(source);
  let min = 0;
  let max = 0;
  for (let i = 0; i < values.length; i++) {
    const each = values[i]!;
    if (each < min) min = each;
    if (each > max) max = each;
  }
  const grid = settings.activations;
  const affine = affineOf({ min, max }, grid);
  const scales = { scale: Float32Array.of(affine.scale), zeroPoint: Int32Array.of(affine.zeroPoint) };
  const { scale, zeroPoint } = scaleConstants(scales, [], storageOf(grid));
  const output = writer.fresh(`${value}_dequantized`);
  writer.emit(
    createNode({
      id: writer.fresh(`${value}_DequantizeLinear`),
      op: 'DequantizeLinear',
      inputs: [
        writer.constant(`${value}_quantized`, quantizeTensor(source, { grid, granularity: perTensor, scales })),
        writer.constant(`${value}_scale`, scale),
        writer.constant(`${value}_zero_point`, zeroPoint),
      ],
      outputs: [output],
    }),
  );
  writer.info(output, { dtype: 'float32', shape: source.shape });
  replaced.add(value);
  constants.set(value, output);
  return output;
}
