import { checkFeeds, closedAlready, type Port, type Session, type Tensor, unknownOutput } from '@espalier/core';
import type { InferenceSession } from 'onnxruntime-node';
import { unsupportedType } from './errors.js';
import { fromOrtTensor, toOrtTensor } from './ort-tensor.js';
import type { Runtime } from './runtime.js';
import { translateFailure } from './translate-failure.js';

/** A loaded model and what belongs to it. */
export interface Loaded {
  readonly runtime: Runtime;
  readonly session: InferenceSession;
  /** The name of the model in errors. */
  readonly name: string;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Called once, after the runtime let go of the model. */
  readonly afterClose: () => Promise<void>;
}

// Failures arrive as exceptions; the runtime would print each of them as well.
const quiet = { logSeverityLevel: 4 } as const;

/**
 * The runtime's session behind the Session contract: checked feeds, host tensors, translated failures. It has no `loop`:
 * feeds are read where they lie, and the binding copies each result into a new array whether or not it is given memory
 * to write to, so tensors that stayed would cost as much as tensors that are fed back.
 */
export function wrapSession({ runtime, session, name, inputs, outputs, afterClose }: Loaded): Session {
  const byName = new Map(outputs.map((output) => [output.name, output]));
  const tensors = outputs.filter(({ container }) => !container).map((output) => output.name);
  const running = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;

  const run: Session['run'] = async (feeds, fetch = tensors) => {
    if (closing) throw closedAlready(`session of ${name}`);
    checkFeeds(inputs, feeds);
    const wanted = [...new Set(fetch)];
    for (const output of wanted) {
      const port = byName.get(output);
      if (!port) throw unknownOutput(output, [...byName.keys()]);
      if (port.container) throw unsupportedType(`output "${output}"`, 'a value that is not a tensor', runtime.package);
    }
    if (wanted.length === 0) return new Map();
    const given = Object.fromEntries([...feeds].map(([key, value]) => [key, toOrtTensor(runtime, key, value)]));
    const task = session.run(given, wanted, quiet);
    running.add(task);
    try {
      const results = await task;
      return new Map(
        wanted.map((output): [string, Tensor] => [output, fromOrtTensor(runtime, output, results[output]!)]),
      );
    } catch (cause) {
      throw translateFailure(cause, { runtime: runtime.package, where: name, expected: 'the model to run' });
    } finally {
      running.delete(task);
    }
  };

  const close = async () => {
    await Promise.allSettled(running);
    await session.release();
    await afterClose();
  };

  return {
    inputs,
    outputs,
    run,
    close() {
      closing ??= close();
      return closing;
    },
  };
}
