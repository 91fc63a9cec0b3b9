import type { Verb } from './verb.js';

/** A verb as the list of verbs shows it; its flags and its work are loaded when it is called. */
export interface VerbEntry {
  readonly name: string;
  readonly about: string;
  /** Meanings by argument. */
  readonly arguments: Readonly<Record<string, string>>;
  /** Shown by `--help` of the verb. */
  readonly examples: readonly string[];
  load(): Promise<Verb>;
}

/** Every verb of the command line, in the order of its help. */
export const verbs: readonly VerbEntry[] = [
  {
    name: 'inspect',
    about: 'list the layers of a model and their costs',
    arguments: { '<model>': 'an ONNX file' },
    examples: ['espalier inspect model.onnx', 'espalier inspect model.onnx --dims height=320,width=320 --layers'],
    load: async () => (await import('./inspect.js')).inspect,
  },
  {
    name: 'analyze',
    about: 'compare pruning with quantization for each tensor and layer',
    arguments: { '<model>': 'an ONNX file' },
    examples: [
      'espalier analyze model.onnx --bits 4,8',
      'espalier analyze model.onnx --layers conv* --report analysis',
    ],
    load: async () => (await import('./analyze.js')).analyze,
  },
  {
    name: 'compress',
    about: 'make a model smaller and report the cost',
    arguments: { '<model>': 'an ONNX file' },
    examples: [
      'espalier compress model.onnx -o small.onnx --preset int8 --calibration images:photos:64',
      'espalier compress model.onnx -o half.onnx --preset fp16 --dims height=160,width=160 --report report',
    ],
    load: async () => (await import('./compress.js')).compress,
  },
  {
    name: 'train',
    about: 'train or fine-tune a model by a recipe',
    arguments: { '<recipe>': 'YAML, JSON, or a TypeScript or JavaScript module' },
    examples: [
      'espalier train recipe.yaml -o trained.onnx --checkpoint state',
      'espalier train recipe.yaml -o trained.onnx --resume state',
    ],
    load: async () => (await import('./train.js')).train,
  },
  {
    name: 'evaluate',
    about: 'measure accuracy and loss on labelled data',
    arguments: { '<model>': 'an ONNX file' },
    examples: [
      'espalier evaluate model.onnx --data images:labelled',
      'espalier evaluate model.onnx --data images:labelled --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225',
    ],
    load: async () => (await import('./evaluate.js')).evaluate,
  },
  {
    name: 'compare',
    about: 'compare the outputs, the size and the speed of two models',
    arguments: { '<a>': 'the reference', '<b>': 'the model to compare with it' },
    examples: [
      'espalier compare model.onnx small.onnx',
      'espalier compare model.onnx small.onnx --data images:photos:64 --no-latency',
    ],
    load: async () => (await import('./compare.js')).compare,
  },
  {
    name: 'convert',
    about: 'write a model in another form, with the same function',
    arguments: { '<model>': 'an ONNX file' },
    examples: [
      'espalier convert model.onnx -o model-21.onnx --opset 21 --simplify',
      'espalier convert model.onnx -o fixed.onnx --dims batch=1,height=224,width=224',
    ],
    load: async () => (await import('./convert.js')).convert,
  },
  {
    name: 'plugins',
    about: 'list every plugin, or the options of one',
    arguments: { '[id]': 'id of a plugin' },
    examples: ['espalier plugins', 'espalier plugins static'],
    load: async () => (await import('./plugins.js')).plugins,
  },
  {
    name: 'schema',
    about: 'print the JSON Schema of recipes',
    arguments: {},
    examples: ['espalier schema', 'espalier schema > recipe.schema.json'],
    load: async () => (await import('./schema.js')).schema,
  },
  {
    name: 'demo',
    about: 'make an embedded network smaller and faster on generated images, and report the cost',
    arguments: {},
    examples: ['espalier demo', 'espalier demo -o shown --seed 1'],
    load: async () => (await import('./demo.js')).demo,
  },
];
