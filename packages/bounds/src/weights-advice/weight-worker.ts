import { parentPort } from 'node:worker_threads';
import { tensorAdvice } from './tensor-advice.js';
import type { WorkerTask } from './worker-runner.js';

// The body of a thread that `createWorkerRunner` starts.
parentPort?.on('message', ({ rows, options }: WorkerTask) => parentPort?.postMessage(tensorAdvice(rows, options)));
