import type { NumberForm, Option, When } from './options.js';

/** The values that an option accepts, in words: `a number from 0 to 1`. */
export function describeOption(option: Option): string {
  switch (option.type) {
    case 'number':
    case 'integer':
      return describeNumber(option);
    case 'boolean':
      return 'true or false';
    case 'text':
      return 'a text';
    case 'choice':
      return `one of ${option.of.join(', ')}`;
    case 'texts':
      return 'a list of texts';
    case 'numbers':
      return 'a list of numbers';
    case 'pairs':
      return `a list of texts NAME=VALUE, each VALUE ${option.of.type === 'text' ? 'a text' : describeNumber(option.of)}`;
    case 'group':
      return `a group of options (${Object.keys(option.of).join(', ')})`;
    case 'plugin':
      return `a plugin of kind ${option.kind}`;
    case 'reference':
      return `a text, or a plugin of kind ${option.kind}`;
  }
}

/** Where an option means something, in words: `mode: one-shot or gradual`. */
export const describeWhen = (when: When): string =>
  Object.entries(when)
    .map(([name, values]) => `${name}: ${values.join(' or ')}`)
    .join(' and ');

/** The purpose of an option, and the condition under which it applies: `how long it takes (only with mode: gradual)`. */
export const aboutOption = ({ about, when }: Option): string =>
  when ? `${about} (only with ${describeWhen(when)})` : about;

function describeNumber({ type, min, max, of }: NumberForm): string {
  if (of) return `one of ${of.join(', ')}`;
  const noun = type === 'integer' ? 'a whole number' : 'a number';
  if (min !== undefined && max !== undefined) return `${noun} from ${min} to ${max}`;
  if (min !== undefined) return `${noun} of ${min} or more`;
  return max !== undefined ? `${noun} of ${max} or less` : noun;
}
