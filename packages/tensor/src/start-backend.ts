import type * as tfjs from '@tensorflow/tfjs-core';

/** Waits for a backend of TensorFlow.js that is being started: until then it runs nothing, on no backend. */
export async function startedBackends(tf: typeof tfjs): Promise<void> {
  // Private, and the only place that tells.
  const engine = tf.engine() as unknown as { readonly pendingBackendInit: Promise<unknown> | null };
  for (let pending = engine.pendingBackendInit; pending; pending = engine.pendingBackendInit) {
    await pending.catch(() => {}); // whoever started it hears of it
    // Its messages are removed one turn later.
    await Promise.resolve();
  }
}

let turn: Promise<unknown> = Promise.resolve();

/**
 * Starts a backend of TensorFlow.js, one at a time; the second of two at once would put the first out. Which backend
 * is the default stays as it was. False where it does not start.
 */
export function startBackend(tf: typeof tfjs, name: string): Promise<boolean> {
  const task = turn.then(async () => {
    await startedBackends(tf);
    const engine = tf.engine();
    if (engine.registry[name]) return true;
    // Reading the default through getBackend would start it.
    const before = engine.backendName;
    const started = await tf.setBackend(name);
    if (before) await tf.setBackend(before);
    return started;
  });
  turn = task.catch(() => {});
  return task;
}
