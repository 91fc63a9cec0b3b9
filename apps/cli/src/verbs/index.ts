import { analyze } from './analyze.js';
import { compare } from './compare.js';
import { compress } from './compress.js';
import { convert } from './convert.js';
import { demo } from './demo.js';
import { evaluate } from './evaluate.js';
import { inspect } from './inspect.js';
import { plugins } from './plugins.js';
import { schema } from './schema.js';
import { train } from './train.js';
import type { Verb } from './verb.js';

/** Every verb of the command line, in the order of its help. */
export const verbs: readonly Verb[] = [
  inspect,
  analyze,
  compress,
  train,
  evaluate,
  compare,
  convert,
  plugins,
  schema,
  demo,
];
