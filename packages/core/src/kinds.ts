import type { AxisRule } from './axis-rule.js';
import type { AnyCollector } from './collector.js';
import type { Compressor } from './compressor.js';
import type { DatasetLoader } from './dataset.js';
import type { Executor } from './executor.js';
import type { Exporter } from './exporter.js';
import type { Graph } from './graph.js';
import type { Importer } from './importer.js';
import type { Loss } from './loss.js';
import type { Observer } from './observer.js';
import type { Optimizer } from './optimizer.js';
import type { Pass } from './pass.js';
import type { Pruner } from './pruner.js';
import type { Rounding } from './rounding.js';
import type { Schedule } from './schedule.js';
import type { Target } from './target.js';
import type { Trainer } from './trainer.js';

/**
 * Every kind of plugin and what its `create` returns. A third party adds a kind by declaration merging:
 * `declare module '@espalier/core' { interface Kinds { mine: Mine } }`.
 */
export interface Kinds {
  pass: Pass;
  import: Importer;
  export: Exporter;
  executor: Executor;
  observer: Observer;
  /** Collects one statistic of values. The plugin's id is its name in needs: `acmeLargest`. */
  statistic: AnyCollector;
  /** Maps weights, and perhaps activations, to fewer bits. */
  quantizer: Compressor;
  pruner: Pruner;
  /** Removes or zeroes weights: what goes together is its own choice. */
  pruning: Compressor;
  rounding: Rounding;
  /** The abilities of a runtime: quantizers write only what it can run. */
  target: Target;
  schedule: Schedule;
  dataset: DatasetLoader;
  loss: Loss;
  optimizer: Optimizer;
  trainer: Trainer;
  /** An architecture with its first weights; a reference architecture's `create` returns the whole model. */
  model: Graph;
  /** The axis rule of a custom op; the plugin's id is the name of the op (`acme::Scale`). */
  axes: AxisRule;
}

/** The name of a kind of plugin. */
export type Kind = keyof Kinds;
