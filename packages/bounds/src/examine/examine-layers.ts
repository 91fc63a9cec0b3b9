import type { Evidence, Graph, Need } from '@espalier/core';
import type { LayerRangeOptions } from '../layers/layer-range.js';
import { layerRanges } from '../layers/layer-ranges.js';
import { type LayerTarget, layerTargets } from './layer-targets.js';
import type { LayerAnalysis, LayersAnalysis } from './layers-analysis.js';

/** Options for examining the layers of a graph. */
export interface ExamineOptions extends LayerRangeOptions {
  /** Collects statistics of the inputs of layers: a calibration run over the data. */
  readonly collect: (needs: readonly Need[]) => Promise<Evidence>;
  /** Which layers. Default: all. */
  readonly choose?: (target: LayerTarget) => boolean;
  /** Bytes of XᵀX kept at a time; layers beyond are left to a further pass over the data. 256 MB unless said. */
  readonly gramBytes?: number;
  /** Told between layers: the share done, 0 to 1, and the layer that comes. */
  readonly progress?: (done: number, layer: string) => void;
}

/**
 * Heuristics and bounds for every layer of a graph, on inputs it really sees (see `layerRanges`). XᵀX of as many layers
 * as fit `gramBytes` is collected in one run over the data; a layer that does not fit alone is skipped.
 */
export async function examineLayers(
  graph: Graph,
  { collect, choose = () => true, gramBytes = 2 ** 28, progress, ...options }: ExamineOptions,
): Promise<Omit<LayersAnalysis, 'data'>> {
  const targets = layerTargets(graph).filter(choose);
  const fits = ({ size }: LayerTarget) => size * size * 8 <= gramBytes;
  const layers: LayerAnalysis[] = [];
  const skipped = targets
    .filter((target) => !fits(target))
    .map(({ node, size }) => ({ node, reason: `${size} inputs each: XᵀX would not fit into memory` }));
  let samples = 0;
  for (const group of grouped(targets.filter(fits), gramBytes)) {
    const evidence = await collect(group.map(({ need }) => need));
    samples = evidence.samples;
    for (const target of group) {
      const done = layers.length + skipped.length;
      progress?.(done / targets.length, target.node);
      const gram = evidence.find(target.need);
      if (!gram || gram.size !== target.size) {
        skipped.push({ node: target.node, reason: 'its inputs could not be followed' });
        continue;
      }
      const { node, op, weight, group: part, groups } = target;
      layers.push({ node, op, weight, group: part, groups, ...layerRanges(target.numbers(gram), options) });
      // Long work in one thread: what waits (progress, a signal) gets its turn.
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
  return { layers, skipped, samples };
}

/** Neighbouring layers whose statistics fit together. */
function grouped(targets: readonly LayerTarget[], bytes: number): readonly (readonly LayerTarget[])[] {
  const groups: LayerTarget[][] = [];
  let room = 0;
  for (const target of targets) {
    const size = target.size * target.size * 8;
    if (groups.length === 0 || size > room) {
      groups.push([]);
      room = bytes;
    }
    groups.at(-1)!.push(target);
    room -= size;
  }
  return groups;
}
