import {
  didYouMean,
  type EspalierError,
  type Graph,
  indexOf,
  type Need,
  needKey,
  problem,
  type ValueId,
} from '@espalier/core';

const where = (need: { readonly statistic: string }) => `calibration need ${needKey(need as Need)}`; // a need that may name an unknown statistic

/** A need asks for a statistic that no collector provides. */
export const unknownStatistic = (need: Need, known: readonly string[]): EspalierError =>
  problem('CALIBRATION_NEED', {
    where: where(need),
    expected: `one of the statistics ${known.join(', ')}`,
    found: `"${need.statistic}"`,
    fix: `${didYouMean(need.statistic, known)}Plugins of kind \`statistic\` collect further ones.`,
    details: { need },
  });

/** A need names a value that the graph does not define at its top level. */
export const unknownValue = (need: Need, value: ValueId, graph: Graph): EspalierError => {
  const known = [...graph.inputs, ...graph.constants.keys(), ...indexOf(graph).producer.keys()];
  return problem('CALIBRATION_NEED', {
    where: where(need),
    expected: 'an input, a constant or the output of a node outside subgraphs',
    found: `"${value}"`,
    fix: didYouMean(value, known.slice(0, 5000)).trim(),
    details: { need, value },
  });
};

/** A need asks for something that its statistic cannot say of this value or node. */
export const impossibleNeed = (need: Need, { expected, found }: { expected: string; found: string }): EspalierError =>
  problem('CALIBRATION_NEED', { where: where(need), expected, found, details: { need } });

/** The axis of a statistic per channel has another size than in the batches before. */
export const axisChanged = (need: Need, before: number, now: number): EspalierError =>
  impossibleNeed(need, {
    expected: 'an axis that has one size in all batches',
    found: `${before} entries, then ${now}`,
  });

/** A value held NaN or infinity while the data ran through. */
export const notFinite = (graph: Graph, value: ValueId, found: string): EspalierError => {
  const node = indexOf(graph).producer.get(value);
  const role = graph.inputs.includes(value) ? 'a graph input' : graph.constants.has(value) ? 'a constant' : 'a value';
  return problem('CALIBRATION_NOT_FINITE', {
    where: node ? `value "${value}" of node "${node.id}" (${node.op})` : `value "${value}" (${role})`,
    expected: 'finite numbers while the calibration data runs',
    found,
    fix: 'Check the preprocessing of the data, and the weights; leave values that are infinite on purpose (masks) out.',
    details: { value, ...(node ? { node: node.id, op: node.op } : {}) },
  });
};

/** There was no sample to learn from. */
export const noSamples = (): EspalierError =>
  problem('CALIBRATION_NO_DATA', {
    where: 'calibration data',
    expected: 'at least one sample',
    found: 'none',
    fix: 'Check the calibration data: the number of samples taken, the folder, the split.',
  });

/** A later pass over the data saw another number of samples than the first. */
export const dataChanged = (first: number, now: number): EspalierError =>
  problem('CALIBRATION_DATA_CHANGED', {
    where: 'calibration data',
    expected: `the same ${first} samples each time \`batches()\` is called`,
    found: `${now}`,
    fix: 'Histograms need two passes: make `batches` start from the beginning at every call.',
  });

/** A collector reads a gradient that it did not say it needs. */
export const gradientNotAsked = (): EspalierError =>
  problem('CALIBRATION_COLLECTOR', {
    where: 'collector',
    expected: 'gradients that its `gradients` asks for',
    found: 'another one',
    fix: 'This is a fault of the collector: tell its author.',
  });

/** A class number that the model has no output for, or a number of labels that is not that of the samples. */
export const badLabels = (expected: string, found: string): EspalierError =>
  problem('CALIBRATION_LABEL', {
    where: 'calibration data, field "label"',
    expected,
    found,
    fix: 'Give data whose labels are the classes of this model, or leave the labels out.',
  });

/** A plugin collects a statistic under a name that another one has. */
export const takenStatistic = (id: string): EspalierError =>
  problem('PLUGIN_DUPLICATE', {
    where: `statistic "${id}"`,
    expected: 'one collector for each statistic',
    found: 'a second one',
    fix: 'Rename the statistic of the plugin: `acmeRange`, with your own prefix.',
  });
