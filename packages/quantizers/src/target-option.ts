import type { Options, Target } from '@espalier/core';
import { onnxruntimeTarget } from '@espalier/onnxruntime/target';

/** The option, shared by all quantizers, that says what the file is for. */
export const targetOption = {
  target: {
    type: 'plugin',
    kind: 'target',
    optional: true,
    about: 'the runtime that the file is for, which decides what is written. Default: onnxruntime',
  },
} as const satisfies Options;

/** The target of the option. */
export const targetOr = (target: Target | undefined): Target => target ?? onnxruntimeTarget();
