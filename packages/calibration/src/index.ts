export * from './calibrate.js';
export type * from './collector.js';
export * from './collectors.js';
export type { Adder, ReduceOptions, Reduction, StatisticsGraph } from './statistics-graph.js';
