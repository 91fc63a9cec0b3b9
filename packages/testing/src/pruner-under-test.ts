import type { Evidence, Graph, Need, UnitTarget } from '@espalier/core';
import type { PluginUnderTest } from './plugin-checks.js';
import type { SampleGraph } from './sample-graphs.js';

/** Options of the kit for pruners. */
export interface PrunerUnderTest extends PluginUnderTest {
  /** Graphs whose weights it scores; the samples of this package when left out. */
  readonly graphs?: readonly SampleGraph[];
  /** The groups of these graphs, for scores of whole units; those of the samples when left out. */
  readonly units?: (graph: Graph) => readonly UnitTarget[];
  /** Answers its needs; made-up statistics when left out, so statistics of third parties must be given here. */
  readonly evidence?: (graph: Graph, needs: readonly Need[]) => Evidence;
}
