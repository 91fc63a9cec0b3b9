import { intsOf } from '@espalier/core';
import type { OpName } from '../op-names.js';
import { broadcasting, like } from './elementwise.js';
import { type ShapeRule, typeOf } from './site.js';

/** Stop words are dropped, so the last axis is open. */
const normalizer: ShapeRule = (site) => {
  const shape = site.shape(0);
  return [typeOf('string', shape && [...shape.slice(0, -1), site.fresh(shape.length - 1)])];
};

/** Pieces padded to the longest, and how many there are of each. */
const split: ShapeRule = (site) => {
  const shape = site.shape(0);
  return [typeOf('string', shape && [...shape, site.fresh(shape.length)]), typeOf('int64', shape)];
};

/** One weight for each n-gram of the vocabulary. */
const tfIdf: ShapeRule = (site) => {
  const shape = site.shape(0);
  const indexes = intsOf(site.node, 'ngram_indexes', []);
  const size = indexes.reduce((most, index) => Math.max(most, index + 1), 0);
  return [typeOf('float32', shape && [...shape.slice(0, -1), size])];
};

/** Ops on strings. */
export const textRules = {
  RegexFullMatch: like(0, 'bool'),
  StringConcat: broadcasting('string'),
  StringNormalizer: normalizer,
  StringSplit: split,
  TfIdfVectorizer: tfIdf,
} as const satisfies Partial<Record<OpName, ShapeRule>>;
