export * from './calibrate.js';
export type * from './collector.js';
export * from './collectors.js';
export type { GradientOf } from './gradient-of.js';
export * from './reestimate-batch-norm.js';
export type { Adder, ReduceOptions, Reduction, StatisticsGraph } from './statistics-graph.js';
