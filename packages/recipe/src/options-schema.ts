import { aboutOption, type Option, type Options, optionApplies, type When } from '@espalier/core';

/** A JSON Schema (draft 2020-12) as plain data. */
export type JsonSchema = { readonly [key: string]: unknown };

/** The JSON Schema of an object with these options. */
export function optionsSchema(options: Options): JsonSchema {
  const required = Object.entries(options).filter(([, option]) => isRequired(option) && !option.when);
  const dependent = Object.entries(options).flatMap(([name, { when }]) =>
    when ? [[name, whenSchema(options, when)] as const] : [],
  );
  return {
    type: 'object',
    additionalProperties: false,
    ...(required.length ? { required: required.map(([name]) => name) } : {}),
    properties: Object.fromEntries(Object.entries(options).flatMap(propertiesOf)),
    ...(dependent.length ? { dependentSchemas: Object.fromEntries(dependent) } : {}),
  };
}

/** The schema of an option under its name, and under its former one as deprecated. */
function propertiesOf([name, option]: readonly [string, Option]): readonly (readonly [string, JsonSchema])[] {
  const schema = optionSchema(option);
  const { formerly } = option;
  return [[name, schema], ...(formerly ? [[formerly, { ...schema, deprecated: true }] as const] : [])];
}

/** The values of other options that an option requires; options whose default does not fit must be written too. */
function whenSchema(options: Options, when: When): JsonSchema {
  const others = Object.entries(when);
  const written = others.filter(([name, values]) => !optionApplies(options, { [name]: values }, {}));
  return {
    properties: Object.fromEntries(others.map(([name, values]) => [name, oneOf(values)])),
    ...(written.length ? { required: written.map(([name]) => name) } : {}),
  };
}

/** One of these values; texts with `*` or `?` are patterns. */
function oneOf(values: When[string]): JsonSchema {
  const isPattern = (value: When[string][number]): value is string => typeof value === 'string' && /[*?]/.test(value);
  const patterns = values.filter(isPattern).map((glob) => ({
    type: 'string',
    pattern: `^${glob
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  }));
  const plain = { enum: values.filter((value) => !isPattern(value)) };
  return patterns.length ? { anyOf: [plain, ...patterns] } : plain;
}

const isRequired = (option: Option): boolean => {
  if (option.type === 'group') return Object.values(option.of).some(isRequired);
  if (option.type === 'reference' || ('optional' in option && option.optional)) return false;
  return option.default === undefined;
};

function optionSchema(option: Option): JsonSchema {
  const about = { description: aboutOption(option) };
  switch (option.type) {
    case 'number':
    case 'integer':
      return {
        type: option.type,
        ...about,
        ...(option.default === undefined ? {} : { default: option.default }),
        ...(option.of ? { enum: option.of } : {}),
        ...(option.min === undefined ? {} : { minimum: option.min }),
        ...(option.max === undefined ? {} : { maximum: option.max }),
      };
    case 'boolean':
    case 'text':
      return {
        type: option.type === 'text' ? 'string' : 'boolean',
        ...about,
        ...(option.default === undefined ? {} : { default: option.default }),
      };
    case 'choice':
      return { enum: option.of, ...about, ...(option.default === undefined ? {} : { default: option.default }) };
    case 'texts':
    case 'numbers':
    case 'pairs':
      return {
        type: 'array',
        items:
          option.type === 'pairs'
            ? { type: 'string', pattern: '^.+=.+$' }
            : { type: option.type === 'texts' ? 'string' : 'number' },
        ...about,
        ...(option.default === undefined ? {} : { default: option.default }),
      };
    case 'group':
      return { ...optionsSchema(option.of), ...about };
    case 'plugin':
      return { $ref: `#/$defs/${option.kind}`, ...about };
    case 'reference':
      return { anyOf: [{ type: 'string' }, { $ref: `#/$defs/${option.kind}` }], ...about };
  }
}
