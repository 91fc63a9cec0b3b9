#!/usr/bin/env node
import { runCommandLine } from './command-line.js';

// The first signal ends the work in order; a second one ends the process at once, as Node does by itself.
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

// A reader that closes the pipe early (`espalier inspect m.onnx | head`) has what it wanted.
process.stdout.on('error', (cause: NodeJS.ErrnoException) => {
  if (cause.code !== 'EPIPE') throw cause;
  process.exit(0);
});

process.exitCode = await runCommandLine(process.argv.slice(2), {
  cwd: process.cwd(),
  environment: process.env,
  out: (text) => void process.stdout.write(text),
  error: (text) => void process.stderr.write(text),
  terminal: process.stderr.isTTY === true,
  interrupted: () => stop.signal.aborted,
  signal: stop.signal,
});
