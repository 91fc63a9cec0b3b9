import {
  type AnyCollector,
  type Collectors,
  type Graph,
  indexOf,
  isFloat,
  type Need,
  needKey,
  type Tensor,
  toFloats,
  type ValueId,
} from '@espalier/core';
import { builtInCollectors } from './collectors.js';
import { notFinite, unknownStatistic, unknownValue } from './errors.js';

/** A need and who collects it. */
export interface Task {
  /** Of the collector's own statistic: `never` is what every collector takes. */
  readonly need: never;
  readonly key: string;
  readonly collector: AnyCollector;
}

/** The statistics that are known already, and those that each pass over the data must collect. */
export interface Plan {
  /** Answers of constants, by `needKey`. */
  readonly answers: ReadonlyMap<string, unknown>;
  readonly passes: readonly (readonly Task[])[];
}

/**
 * Merges needs, adds those that others rest on, answers what is known without data, and puts each of the rest into
 * the first pass in which everything it rests on is there.
 * @throws CALIBRATION_NEED, CALIBRATION_NOT_FINITE for constants.
 */
export function planPasses(graph: Graph, needs: readonly Need[], further: Collectors = {}): Plan {
  const collectors: Collectors = { ...builtInCollectors, ...further };
  const answers = new Map<string, unknown>();
  const passOf = new Map<string, number>();
  const passes: Task[][] = [];

  // The pass in which a need is answered; -1 for constants.
  const place = (need: Need): number => {
    const key = needKey(need);
    const known = passOf.get(key);
    if (known !== undefined) return known;
    const found = Object.hasOwn(collectors, need.statistic) ? collectors[need.statistic] : undefined;
    if (!found) throw unknownStatistic(need, Object.keys(collectors));
    // The table pairs each statistic with its collector, so the need is of the collector's statistic.
    const task: Task = { need: need as never, key, collector: found };
    const values = task.collector.values(task.need, graph);
    for (const value of values) checkValue(graph, need, value);
    const constants = values.map((value) => graph.constants.get(value));
    if (task.collector.ofConstant && constants.length === 1 && constants[0]) {
      checkFinite(graph, values[0]!, constants[0]);
      answers.set(key, task.collector.ofConstant(task.need, constants[0]));
      passOf.set(key, -1);
      return -1;
    }
    const before = task.collector.after?.(task.need) ?? [];
    const pass = Math.max(-1, ...before.map(place)) + 1;
    while (passes.length <= pass) passes.push([]);
    passes[pass]!.push(task);
    passOf.set(key, pass);
    return pass;
  };
  needs.forEach(place);
  return { answers, passes };
}

function checkValue(graph: Graph, need: Need, value: ValueId): void {
  if (graph.inputs.includes(value) || graph.constants.has(value) || indexOf(graph).producer.has(value)) return;
  throw unknownValue(need, value, graph);
}

function checkFinite(graph: Graph, value: ValueId, constant: Tensor): void {
  if (!isFloat(constant.dtype)) return;
  const values = toFloats(constant);
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i]!)) throw notFinite(graph, value, `${values[i]} at element ${i}`);
  }
}
