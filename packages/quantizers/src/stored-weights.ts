import {
  type AxisRules,
  createNode,
  type Graph,
  int,
  type Node,
  reshaped,
  type Target,
  type Tensor,
  tensor,
  toFloats,
  type ValueId,
} from '@espalier/core';
import { isRefusal, type LayerKind, layerOf } from '@espalier/ops';
import { isFiniteTensor } from './finite-tensor.js';
import { perChannel as channelsOf, perTensor } from './granularity.js';
import { int8Weights, storageOf } from './grid.js';
import type { MadeConstants } from './made-constants.js';
import { quantizeTensor } from './quantize-tensor.js';
import type { GraphWriter } from './quantized-graph.js';
import { scalesOf } from './scales.js';
import { type WeightClip, weightRanges } from './weight-ranges.js';

/** The storage of weights of ops that compute in float. */
export interface StorageChoice {
  readonly writer: GraphWriter;
  readonly clip: WeightClip;
  readonly perChannel: boolean;
  readonly target: Target;
  readonly replaced: Set<ValueId>;
  readonly made: MadeConstants;
  /** Axis rules of custom ops. */
  readonly rules?: AxisRules;
}

/** Rewrites nodes to read weights that are stored as integers and computed with in float. */
export interface StoredWeights {
  /** The node reading restored weights; the node itself where it has none that can be stored. */
  write(node: Node): Node;
  /** A constant as it is restored, with a scale for each index along an axis. */
  restored(value: ValueId, axis: number): ValueId;
}

/** Layers that have no integer kernel, or none worth using; matrices are stored where a target has no kernel for them. */
const stored: ReadonlySet<LayerKind> = new Set(['convolution', 'recurrent', 'custom']);
const isStored = ({ dynamic }: Target, kind: LayerKind): boolean =>
  stored.has(kind) || (kind === 'product' && !Object.hasOwn(dynamic, 'MatMulInteger'));

/** The limits of storing: the target, and the custom ops. */
export type StorageRules = Pick<StorageChoice, 'target' | 'rules'>;

/** Whether a node has weights that can be stored as integers. */
export const hasStorableWeights = (graph: Graph, node: Node, rules: StorageRules): boolean =>
  storableSlots(graph, node, rules).length > 0;

function storableSlots(
  graph: Graph,
  node: Node,
  { target, rules }: StorageRules,
): readonly (readonly [slot: number, axis: number])[] {
  if (!target.storage?.types.includes(storageOf(int8Weights))) return [];
  const layer = layerOf(graph, node, rules);
  if (isRefusal(layer) || !isStored(target, layer.kind) || (layer.kind !== 'custom' && node.op.includes('::')))
    return [];
  return layer.weights.flatMap(({ slot, value, outputs: [axis] }) => {
    const weight = graph.constants.get(value)!; // weights of layers are constants
    const fits = weight.dtype === 'float32' && isFiniteTensor(weight) && weight.data.length > 0;
    return fits && axis !== undefined ? [[slot, axis] as const] : [];
  });
}

/**
 * Weights restored by Cast and Mul with a constant scale: runtimes fold both when they load the file, so the file is
 * small and the speed that of float. (A DequantizeLinear would run, and keep the weights from being packed, at every
 * call.) 8 bits, -127..127, zero point 0.
 */
export function createStoredWeights(graph: Graph, choice: StorageChoice): StoredWeights {
  const known = new Map<string, ValueId>();
  const restored = (value: ValueId, axis: number): ValueId => {
    const key = `${axis}|${value}`;
    const found = known.get(key) ?? writeStored(graph, value, { ...choice, axis });
    known.set(key, found);
    return found;
  };
  return {
    restored,
    write(node) {
      const todo = new Map(storableSlots(graph, node, choice));
      if (todo.size === 0) return node;
      const inputs = node.inputs.map((value, slot) => {
        const axis = todo.get(slot);
        return value === undefined || axis === undefined ? value : restored(value, axis);
      });
      return { ...node, inputs };
    },
  };
}

function writeStored(graph: Graph, value: ValueId, choice: StorageChoice & { readonly axis: number }): ValueId {
  const { writer, replaced, made, axis } = choice;
  const weight = graph.constants.get(value)!;
  const [codes, scale] = made(weight, `stored|${axis}`, () => storedConstants({ value, weight }, choice));
  const [cast, output] = [writer.fresh(`${value}_cast`), writer.fresh(`${value}_dequantized`)];
  writer.info(cast, { dtype: 'float32', shape: weight.shape });
  writer.info(output, { dtype: 'float32', shape: weight.shape });
  const to = { to: int(1) };
  writer.emit(
    createNode({ id: writer.fresh(`${value}_Cast`), op: 'Cast', inputs: [codes], outputs: [cast], attributes: to }),
    createNode({ id: writer.fresh(`${value}_Mul`), op: 'Mul', inputs: [cast, scale], outputs: [output] }),
  );
  replaced.add(value);
  return output;
}

function storedConstants(
  { value, weight }: { readonly value: ValueId; readonly weight: Tensor },
  { writer, clip, perChannel: wanted, target, axis }: StorageChoice & { readonly axis: number },
): readonly ValueId[] {
  const perChannel = wanted && target.storage?.scales === 'channel';
  const granularity = perChannel ? channelsOf(axis) : perTensor;
  const ranges = weightRanges(toFloats(weight), weight.shape, { grid: int8Weights, granularity, clip })!; // finite: checked before
  const scales = scalesOf(ranges, int8Weights);
  const shape = perChannel ? weight.shape.map((dim, i) => (i === axis ? dim : 1)) : [];
  const codes = quantizeTensor(weight, { grid: int8Weights, granularity, scales });
  const scale = reshaped(tensor('float32', [scales.scale.length], scales.scale), shape);
  return [writer.constant(`${value}_quantized`, codes), writer.constant(`${value}_scale`, scale)];
}
