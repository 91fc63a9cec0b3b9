import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

/**
 * Packs every publishable package as it would be published, and asks publint and attw what is wrong with it.
 * Run by `pnpm packaging`, after the build; needs no network.
 */
const root = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);
const atOnce = 2;

interface Packable {
  readonly name: string;
  readonly folder: string;
}

async function packable(): Promise<readonly Packable[]> {
  const folders = await Promise.all(
    ['packages', 'apps'].map(async (parent) =>
      (await readdir(join(root, parent))).map((name) => join(root, parent, name)),
    ),
  );
  const found = await Promise.all(
    folders.flat().map(async (folder) => {
      const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => '{}');
      return { folder, ...(JSON.parse(text) as { name?: string; private?: boolean }) }; // ours, by form
    }),
  );
  return found.flatMap(({ name, folder, private: kept }) => (name && !kept ? [{ name, folder }] : []));
}

/** What is wrong with the tarball, one line each. */
async function problemsOf({ folder }: Packable, target: string): Promise<readonly string[]> {
  const tarball = await pack(folder, target);
  const { buffer } = Uint8Array.from(await readFile(tarball));
  const [{ messages, pkg }, types] = await Promise.all([
    publint({ pack: { tarball: buffer }, strict: true }),
    attw(tarball),
  ]);
  return [...messages.map((message) => `publint: ${formatMessage(message, pkg, { color: false })}`), ...types];
}

// Run by pnpm, its own path is in the environment; elsewhere it is looked up.
async function pack(folder: string, target: string): Promise<string> {
  const pnpm = process.env.npm_execpath?.includes('pnpm') ? process.env.npm_execpath : undefined;
  const args = ['pack', '--json', '--pack-destination', target];
  const { stdout } = pnpm
    ? await run(process.execPath, [pnpm, ...args], { cwd: folder })
    : await run('pnpm', args, { cwd: folder });
  return (JSON.parse(stdout) as { filename: string }).filename; // what pnpm 10 prints
}

async function attw(tarball: string): Promise<readonly string[]> {
  const script = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js');
  const args = [
    script,
    tarball,
    '--profile',
    'esm-only',
    '--no-definitely-typed',
    '--no-color',
    '--no-emoji',
    '--format',
    'table',
  ];
  return run(process.execPath, args).then(
    () => [],
    (failed: { stdout?: string; stderr?: string }) => [
      `attw: ${(failed.stdout || failed.stderr || String(failed)).trim()}`,
    ],
  );
}

const started = performance.now();
const target = await mkdtemp(join(tmpdir(), 'espalier-packaging-'));
const waiting = [...(await packable())];
const total = waiting.length;
let wrong = 0;

async function worker(): Promise<void> {
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const problems = await problemsOf(next, target).catch((cause: unknown) => [`cannot be packed: ${cause}`]);
    if (problems.length > 0) wrong++;
    console.log(`${problems.length > 0 ? '✗' : '✓'} ${next.name}`);
    for (const problem of problems) console.log(`    ${problem.replaceAll('\n', '\n    ')}`);
  }
}

try {
  await Promise.all(Array.from({ length: atOnce }, worker));
} finally {
  await rm(target, { recursive: true, force: true });
}
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(`${total - wrong} of ${total} packages are fit to publish (${seconds} s)`);
if (wrong > 0) process.exitCode = 1;
