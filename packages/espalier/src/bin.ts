#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * `npx espalier ...`: runs the command line, which is the package @espalier/cli, of the same version. It is not a
 * dependency, since it brings a runtime of 300 MB that those who only import `espalier` do not need. Where it is not
 * installed beside this package or in the working folder, npm fetches it.
 */
const cli = '@espalier/cli';

const installed = [import.meta.url, join(process.cwd(), 'package.json')].flatMap((from) => {
  try {
    return [createRequire(from).resolve(`${cli}/main`)];
  } catch {
    return []; // not installed there
  }
})[0];

if (installed) await import(pathToFileURL(installed).href);
else await fetchAndRun();

async function fetchAndRun(): Promise<void> {
  const own: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const version = typeof own === 'object' && own !== null && 'version' in own ? `@${String(own.version)}` : '';
  process.stderr.write(
    `espalier: fetching the command line, ${cli}${version}. To keep it: ONNXRUNTIME_NODE_INSTALL=skip npm install ${cli}\n`,
  );
  const code = await npmExec([
    'exec',
    '--yes',
    `--package=${cli}${version}`,
    '--',
    'espalier',
    ...process.argv.slice(2),
  ]);
  if (code === undefined) process.stderr.write('espalier: npm could not be started.\n');
  process.exitCode = code ?? 1;
}

/** The exit code of npm, which is that of what it ran; undefined where npm does not start. */
function npmExec(args: readonly string[]): Promise<number | undefined> {
  const npm = process.env['npm_execpath'];
  const inNode = npm !== undefined && /npm-cli\.[cm]?js$|npx-cli\.[cm]?js$/.test(npm);
  const script = inNode ? [npm.replace(/npx-cli/, 'npm-cli')] : [];
  return new Promise((resolve) => {
    const child = spawn(inNode ? process.execPath : 'npm', [...script, ...args], {
      stdio: ['inherit', 'inherit', 'inherit'],
      shell: !inNode && process.platform === 'win32',
      // The install script of onnxruntime-node fetches CUDA libraries, which are not used here.
      env: { ONNXRUNTIME_NODE_INSTALL: 'skip', ...process.env },
    });
    child.on('error', () => resolve(undefined));
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
