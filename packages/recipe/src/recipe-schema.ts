import type { Kind, Options, Registry } from '@espalier/core';
import { type JsonSchema, optionsSchema } from './options-schema.js';
import type { StepKind } from './step.js';
import { stepKinds } from './step-kinds.js';

/**
 * The JSON Schema of recipes that use the plugins of a registry. Editors complete and check recipes with it
 * (`# yaml-language-server: $schema=...`); it says the same as `checkRecipe` and the plugins' own option tables.
 */
export function recipeSchema(registry: Registry): JsonSchema {
  const kinds = new Set<Kind>(['export', 'dataset', 'model']);
  for (const { kind } of Object.values(stepKinds)) kinds.add(kind);
  for (const kind of kinds) for (const inner of pluginKindsIn(registry, kind)) kinds.add(inner);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Espalier recipe',
    type: 'object',
    additionalProperties: false,
    required: ['espalier', 'steps'],
    properties: {
      $schema: { type: 'string' },
      espalier: { const: 1, description: 'Version of this form.' },
      plugins: {
        type: 'object',
        description: 'Namespace to package, for third-party plugins.',
        propertyNames: { pattern: '^[a-z][a-z0-9-]*$' },
        additionalProperties: { type: 'string' },
      },
      model: {
        description: 'A file, or an architecture: what is trained where no model is named otherwise.',
        anyOf: [{ type: 'string' }, { $ref: '#/$defs/model' }],
      },
      data: {
        type: 'object',
        additionalProperties: false,
        properties: {
          calibration: dataSource(registry),
          training: dataSource(registry),
          evaluation: dataSource(registry),
        },
      },
      steps: {
        type: 'array',
        description: 'Run in this order; a step may repeat.',
        items: { oneOf: Object.entries(stepKinds).map(([name, step]) => stepSchema(name, step.kind)) },
      },
      export: { $ref: '#/$defs/export' },
      seed: { type: 'integer', minimum: 0, description: 'Seed of everything random.' },
    },
    $defs: Object.fromEntries([...kinds].sort().map((kind) => [kind, references(registry, kind)])),
  };
}

/** The schema of what stands in `with`: one table, or one of those that an option of the driver chooses. */
function optionsBeside(registry: Registry, kind: Kind, own: Options): JsonSchema {
  const steps: readonly StepKind[] = Object.values(stepKinds);
  const { options = {}, variants } = steps.find((step) => step.kind === kind) ?? {};
  if (!variants) return optionsSchema({ ...options, ...own });
  const tables = [...variants.tables(registry)];
  const others = (id: string) => ({
    properties: { [variants.by]: { enum: tables.map(([other]) => other).filter((other) => other !== id) } },
    required: [variants.by],
  });
  return { anyOf: tables.map(([id, table]) => ({ ...optionsSchema({ ...table, ...own }), not: others(id) })) };
}

const stepSchema = (name: string, kind: Kind): JsonSchema => ({
  type: 'object',
  additionalProperties: false,
  required: [name],
  properties: { [name]: { $ref: `#/$defs/${kind}` } },
});

function references(registry: Registry, kind: Kind): JsonSchema {
  const ids = registry.ids(kind);
  const withOptions = ids.map((id) => {
    const { about, options } = registry.find(kind, id);
    return {
      type: 'object',
      description: about,
      additionalProperties: false,
      required: ['use'],
      properties: { use: { const: id }, with: optionsBeside(registry, kind, options) },
    };
  });
  // Third-party plugins that the recipe itself names are known only when it runs.
  const foreign = { type: 'string', pattern: '^[a-z][a-z0-9-]*/.+$' };
  return {
    anyOf: [
      { enum: ids },
      foreign,
      ...withOptions,
      {
        type: 'object',
        additionalProperties: false,
        required: ['use'],
        properties: { use: foreign, with: { type: 'object' } },
      },
    ],
  };
}

function dataSource(registry: Registry): JsonSchema {
  const numbers = { type: 'array', items: { type: 'number' } };
  return {
    oneOf: [
      { type: 'string', description: 'A data spec, such as fashion-mnist:test or images:FOLDER:256.' },
      {
        type: 'object',
        additionalProperties: false,
        required: ['use'],
        properties: {
          use: { anyOf: [{ enum: registry.ids('dataset') }, { type: 'string' }] },
          with: { type: 'object' },
          preprocess: {
            type: 'object',
            additionalProperties: false,
            properties: {
              scale: { type: 'number' },
              mean: numbers,
              std: numbers,
              layout: { enum: ['nchw', 'nhwc'] },
              resize: numbers,
            },
          },
        },
      },
    ],
  };
}

function pluginKindsIn(registry: Registry, kind: Kind): readonly Kind[] {
  const inside = (options: Options): readonly Kind[] =>
    Object.values(options).flatMap((option) =>
      option.type === 'plugin' || option.type === 'reference'
        ? [option.kind]
        : option.type === 'group'
          ? inside(option.of)
          : [],
    );
  return registry.ids(kind).flatMap((id) => inside(registry.find(kind, id).options));
}
