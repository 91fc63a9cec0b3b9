import {
  type Attribute,
  createNode,
  editGraph,
  floats,
  type Graph,
  type Grid,
  int,
  type Node,
  scalar,
  tensorInfo,
  text,
  toFloats,
  type ValueId,
} from '@espalier/core';
import { type Affine, affineOf } from '../affine.js';
import { perChannel, perTensor } from '../granularity.js';
import type { StaticPlan } from '../static/plan-static.js';
import { scaleAxis } from '../weight-axis.js';
import { type ActivationBits, bitsOfLayer } from './bits-of.js';
import { activationLattice, weightLattice } from './lattice-grid.js';
import { methods } from './learned-methods.js';
import type { LearnedSettings } from './learned-settings.js';
import { weightStart } from './weight-start.js';

/** Where quantizers go, and what those of activations begin with. */
export interface Placement {
  readonly plan: StaticPlan;
  readonly settings: LearnedSettings;
  readonly ends: ReadonlySet<string>;
  readonly bits: ActivationBits;
  /** The first scale and zero point of a value on a grid. */
  readonly startOf: (value: ValueId, grid: Grid) => Affine;
}

/**
 * Puts `espalier::FakeQuantize` nodes where the plan of the static quantizer has integers: before every quantized
 * layer, join and pool, and on weights. A value has one quantizer of the widest grid that a reader wants; readers of
 * narrower grids have another behind it. Ops that only move elements hand on the grid of what they read.
 */
export function placeQuantizers(graph: Graph, placement: Placement): Graph {
  const draft = editGraph(graph);
  draft.setOpset('espalier', 1);
  const put = quantizerMaker(draft, graph, placement);
  const { plan, bits } = placement;
  const { inputs } = graph;
  for (const value of inputs) {
    if (bits.base.has(value)) draft.prepend(...put.activation(value, value, bits.base.get(value)!));
  }
  const owned = new Set([...plan.units.values()].flatMap(({ outputs }) => outputs));
  for (const node of graph.nodes) {
    const unit = plan.units.get(node.id);
    const before: Node[] = [];
    const read = node.inputs.map((value, slot) => {
      if (value === undefined) return value;
      const root = plan.values.get(value) ?? value;
      if (!unit?.slots.includes(slot)) {
        if (unit?.rule.role === 'anchor' && slot === 1 && graph.constants.has(value)) {
          const weight = put.weight(node, value);
          before.push(...weight.nodes);
          return weight.output;
        }
        return root === value && owned.has(value) ? put.at(value, bits.base.get(value)) : value;
      }
      if (graph.constants.has(value)) {
        const operand = put.operand(value);
        before.push(...operand.nodes);
        return operand.output;
      }
      const base = bits.base.get(root);
      if (base === undefined) return value;
      const shown = root === value ? put.at(value, base) : value;
      const wanted = bits.readBy(node.id, base);
      if (wanted === base) return shown;
      const known = put.at(value, wanted);
      if (known !== value) return known;
      before.push(...put.activation(value, shown, wanted));
      return put.at(value, wanted);
    });
    if (before.length > 0) draft.insertBefore(node.id, ...before);
    if (read.some((value, slot) => value !== node.inputs[slot])) draft.replace(node.id, { ...node, inputs: read });
    for (const value of node.outputs) {
      if (value === undefined || plan.values.get(value) !== value) continue;
      const base = bits.base.get(value);
      if (base !== undefined) draft.insertAfter(node.id, ...put.activation(value, value, base));
    }
  }
  return draft.finish();
}

interface Made {
  readonly nodes: readonly Node[];
  readonly output: ValueId;
}

function quantizerMaker(draft: ReturnType<typeof editGraph>, graph: Graph, placement: Placement) {
  const { plan, settings, ends, startOf } = placement;
  const method = methods[settings.method];
  const made = new Map<string, ValueId>();
  const typed = (output: ValueId, of: ValueId) => {
    const info = tensorInfo(graph, of);
    if (info) draft.setInfo(output, info);
  };
  const node = (output: ValueId, inputs: readonly ValueId[], attributes: Readonly<Record<string, Attribute>>) =>
    createNode({ id: output, op: 'espalier::FakeQuantize', inputs, outputs: [output], attributes });

  /** Reads `from`, the value itself or its wider quantizer. */
  function activation(value: ValueId, from: ValueId, bits: number): readonly Node[] {
    const root = plan.values.get(value) ?? value;
    const grid = activationLattice(bits);
    const fixed = plan.fixed.get(root);
    const { scale, zeroPoint } = fixed ? affineOf(fixed, grid) : startOf(root, grid);
    const learned = !fixed && method.activationScales !== 'fixed';
    const output = draft.fresh(`${value}_fake${bits}`);
    made.set(`${value}|${bits}`, output);
    typed(output, value);
    const before: Node[] = [];
    let zero = draft.constant(`${output}_zero_point`, scalar(zeroPoint));
    if (method.offsets && learned && zeroPoint > 0) {
      // Whole at every step: the offset itself is put on a lattice of step 1.
      const offset = draft.constant(`${output}_offset`, scalar(zeroPoint));
      const step = draft.constant(`${output}_offset_step`, scalar(1));
      zero = draft.fresh(`${output}_whole_offset`);
      draft.setInfo(zero, { dtype: 'float32', shape: [] });
      const attributes = { bits: int(bits), signed: int(0), learned: int(0), role: text('offset') };
      before.push(node(zero, [offset, step], attributes));
    }
    const inputs = [from, draft.constant(`${output}_scale`, scalar(scale)), zero];
    const attributes = {
      bits: int(bits),
      signed: int(0),
      role: text('activation'),
      ...(learned ? {} : { learned: int(0) }),
      ...(learned && method.activationScales === 'pact' && zeroPoint === 0 ? { slope: text('pact') } : {}),
    };
    return [...before, node(output, inputs, attributes)];
  }

  /** Constants that joins read: on a grid of their own, which does not move. */
  function operand(value: ValueId): Made {
    const known = made.get(`operand ${value}`);
    if (known !== undefined) return { nodes: [], output: known };
    const numbers = toFloats(graph.constants.get(value)!); // one of its constants
    let [min, max] = [0, 0];
    for (const each of numbers) [min, max] = [Math.min(min, each), Math.max(max, each)];
    const { scale, zeroPoint } = affineOf({ min, max }, activationLattice(8));
    const output = draft.fresh(`${value}_fake8`);
    made.set(`operand ${value}`, output);
    typed(output, value);
    const inputs = [
      value,
      draft.constant(`${output}_scale`, scalar(scale)),
      draft.constant(`${output}_zero_point`, scalar(zeroPoint)),
    ];
    const attributes = { bits: int(8), signed: int(0), learned: int(0), role: text('operand') };
    return { nodes: [node(output, inputs, attributes)], output };
  }

  function weight(reader: Node, value: ValueId): Made {
    const bits = bitsOfLayer(reader.id, ends, { own: settings.weights.bits, ends: settings.ends });
    const unit = plan.units.get(reader.id)!; // only layers of the plan have quantized weights
    const axis = settings.weights.perChannel ? scaleAxis(graph, reader, unit.kernel) : undefined;
    const key = `weight ${value}|${bits}|${axis}`;
    const known = made.get(key);
    if (known !== undefined) return { nodes: [], output: known };
    const tensor = graph.constants.get(value)!; // a layer whose weight is constant
    const granularity = axis === undefined ? perTensor : perChannel(axis);
    const grid = weightLattice(bits);
    const scales = weightStart(tensor, { grid, granularity, start: settings.weights.start });
    if (!scales) return { nodes: [], output: value };
    const output = draft.fresh(`${value}_fake${bits}`);
    made.set(key, output);
    typed(output, value);
    const inputs = [
      value,
      draft.constant(`${output}_scale`, floats(scales, axis === undefined ? [] : [scales.length])),
    ];
    const attributes = {
      bits: int(bits),
      role: text('weight'),
      ...(grid.narrow ? { narrow: int(1) } : {}),
      ...(axis === undefined ? {} : { axis: int(axis) }),
      ...(method.weightScales ? {} : { learned: int(0) }),
    };
    return { nodes: [node(output, inputs, attributes)], output };
  }

  const at = (value: ValueId, bits: number | undefined): ValueId => made.get(`${value}|${bits}`) ?? value;
  return { activation, operand, weight, at };
}
