import { readReference } from '@espalier/core';
import { badValue, unknownKey } from './errors.js';
import type { Recipe } from './recipe.js';
import { stepKinds } from './step-kinds.js';

const keys = ['espalier', 'plugins', 'model', 'data', 'steps', 'export', 'seed', '$schema'] as const;
const preprocessKeys = ['scale', 'mean', 'std', 'layout', 'resize'] as const;
const forbidden = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Checks the form of a recipe (not the names in it: those are resolved in a registry) and returns it.
 * @throws RECIPE_KEY for unknown keys with the nearest spelling, RECIPE_INVALID, REFERENCE_INVALID; all with the path.
 */
export function checkRecipe(value: unknown, where = 'recipe'): Recipe {
  const recipe = record(value, where);
  refusePrototypeKeys(recipe, where);
  only(recipe, keys, where);
  if (recipe['espalier'] !== 1) throw badValue(`${where}.espalier`, 'the number 1', recipe['espalier']);
  if (recipe['plugins'] !== undefined) checkPlugins(recipe['plugins'], `${where}.plugins`);
  if (recipe['model'] !== undefined) readReference(recipe['model'], `${where}.model`);
  if (recipe['data'] !== undefined) checkData(recipe['data'], `${where}.data`);
  if (!Array.isArray(recipe['steps'])) throw badValue(`${where}.steps`, 'a list of steps', recipe['steps']);
  for (const [i, step] of recipe['steps'].entries()) checkStep(step, `${where}.steps[${i}]`);
  if (recipe['export'] !== undefined) readReference(recipe['export'], `${where}.export`);
  const seed = recipe['seed'];
  if (seed !== undefined && !(Number.isSafeInteger(seed) && Number(seed) >= 0)) {
    throw badValue(`${where}.seed`, 'a whole number of 0 or more', seed);
  }
  return recipe as unknown as Recipe; // every field was checked above
}

function checkPlugins(value: unknown, where: string): void {
  for (const [namespace, name] of Object.entries(record(value, where))) {
    if (!/^[a-z][a-z0-9-]*$/.test(namespace))
      throw badValue(where, 'namespaces in lower case, such as acme', namespace);
    if (typeof name !== 'string' || name === '') throw badValue(`${where}.${namespace}`, 'the name of a package', name);
  }
}

function checkData(value: unknown, where: string): void {
  const data = record(value, where);
  only(data, ['calibration', 'training', 'evaluation'], where);
  for (const [role, source] of Object.entries(data)) {
    if (typeof source === 'string') continue;
    const at = `${where}.${role}`;
    const { preprocess, ...reference } = record(source, at);
    readReference(reference, at);
    if (preprocess !== undefined) checkPreprocess(preprocess, `${at}.preprocess`);
  }
}

/** Checks the fields of a `preprocess` block. @throws RECIPE_KEY, RECIPE_INVALID. */
export function checkPreprocess(value: unknown, where: string): void {
  const fields = record(value, where);
  only(fields, preprocessKeys, where);
  const number = (each: unknown) => typeof each === 'number' && Number.isFinite(each);
  if (fields['scale'] !== undefined && !number(fields['scale']))
    throw badValue(`${where}.scale`, 'a number', fields['scale']);
  for (const key of ['mean', 'std', 'resize'] as const) {
    const list = fields[key];
    if (list !== undefined && !(Array.isArray(list) && list.every(number))) {
      throw badValue(`${where}.${key}`, 'a list of numbers', list);
    }
  }
  if (fields['layout'] !== undefined && fields['layout'] !== 'nchw' && fields['layout'] !== 'nhwc') {
    throw badValue(`${where}.layout`, 'nchw or nhwc', fields['layout']);
  }
}

function checkStep(value: unknown, where: string): void {
  const step = record(value, where);
  const known = Object.keys(stepKinds);
  for (const key of Object.keys(step)) if (!known.includes(key)) throw unknownKey(where, key, known);
  const [kind, ...more] = Object.keys(step);
  if (kind === undefined || more.length > 0) throw badValue(where, `exactly one of ${known.join(', ')}`, value);
  readReference(step[kind], `${where}.${kind}`);
}

function only(value: Readonly<Record<string, unknown>>, known: readonly string[], where: string): void {
  for (const key of Object.keys(value)) if (!known.includes(key)) throw unknownKey(where, key, known);
}

function record(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badValue(where, 'an object', value);
  return value as Readonly<Record<string, unknown>>; // checked just above
}

function refusePrototypeKeys(value: unknown, where: string): void {
  if (typeof value !== 'object' || value === null) return;
  for (const key of Object.getOwnPropertyNames(value)) {
    if (forbidden.has(key)) throw badValue(where, 'ordinary keys', key);
    refusePrototypeKeys(
      (value as Record<string, unknown>)[key],
      Array.isArray(value) ? `${where}[${key}]` : `${where}.${key}`,
    ); // own keys only
  }
}
