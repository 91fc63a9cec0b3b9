import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { workerFailed } from '../errors.js';
import type { AdviceRunner } from './advise-weights.js';
import type { ChannelRows } from './channel-rows.js';
import type { AdviceOptions, TensorAdvice } from './tensor-advice.js';

/** Options for starting worker threads. */
export interface WorkerRunnerOptions {
  /** Threads. Default: as many as the machine has processors. */
  readonly threads?: number;
  /** The module that threads run, `weight-worker.js` of this package; for programs bundled into other files. */
  readonly module?: URL;
}

/** A runner whose threads must be ended. */
export interface WorkerRunner extends AdviceRunner {
  /** Ends the threads; harmless when repeated. */
  close(): Promise<void>;
}

/** A message to a thread, and its answer. */
export interface WorkerTask {
  readonly rows: ChannelRows;
  readonly options: AdviceOptions;
}

/** Judges tensors in worker threads of Node, one tensor a thread. A copy of each tensor is handed over. */
export function createWorkerRunner({
  threads = availableParallelism(),
  module = new URL('./weight-worker.js', import.meta.url),
}: WorkerRunnerOptions = {}): WorkerRunner {
  const idle: Worker[] = [];
  const all = new Set<Worker>();
  const start = () => {
    const worker = new Worker(module);
    all.add(worker);
    return worker;
  };
  return {
    atOnce: threads,
    async judge(rows, options) {
      const worker = idle.pop() ?? start();
      const advice = await ask(worker, { rows, options });
      idle.push(worker);
      return advice;
    },
    async close() {
      await Promise.all([...all].map((worker) => worker.terminate()));
      all.clear();
      idle.length = 0;
    },
  };
}

function ask(worker: Worker, { rows, options }: WorkerTask): Promise<TensorAdvice | undefined> {
  // A view is cloned with all of the buffer behind it, often the whole file: its own part is copied and moved over.
  const values = rows.values.slice();
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) => settle(() => reject(workerFailed(cause)));
    const stop = (code: number) => fail(new Error(`exit code ${code}`));
    const settle = (end: () => void) => {
      worker.off('message', done).off('error', fail).off('exit', stop);
      end();
    };
    const done = (advice: TensorAdvice | undefined) => settle(() => resolve(advice));
    worker.on('message', done).on('error', fail).on('exit', stop);
    worker.postMessage({ rows: { ...rows, values }, options } satisfies WorkerTask, [values.buffer]);
  });
}
