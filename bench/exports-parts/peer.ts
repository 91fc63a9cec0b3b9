import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compareSessions, measureLatencyPair } from '@espalier/analysis';
import type { Executor, Session, Tensor } from '@espalier/core';
import { nodeFiles } from '@espalier/core/node';
import { openRandom } from './open-random.js';

const script = fileURLToPath(new URL('peer.py', import.meta.url));

/** What onnxruntime's own quantizers wrote for one file. */
export interface Peers {
  /** Folder with one file for each preset. */
  readonly folder: string;
  /** Why there is none, by preset. */
  readonly errors: Readonly<Record<string, string>>;
}

/** Where a peer runs and on what. */
export interface PeerRequest {
  readonly python: string;
  readonly input: string;
  /** A folder of this run. */
  readonly place: string;
  readonly samples: number;
  readonly executor: Executor;
}

/** Runs onnxruntime's quantizers on the samples that Espalier calibrates on. */
export async function runPeer({ python, input, place, samples, executor }: PeerRequest): Promise<Peers> {
  const folder = join(place, 'peer');
  mkdirSync(folder);
  copyFileSync(input, join(folder, 'model.onnx'));
  if (existsSync(`${input}.data`)) copyFileSync(`${input}.data`, join(folder, 'model.onnx.data'));
  const feeds = await openRandom({ input, executor, take: samples, seed: 1 });
  const written: Record<string, unknown>[] = [];
  for await (const feed of feeds()) written.push(writeFeed(folder, { feed, index: written.length }));
  writeFileSync(join(folder, 'samples.json'), JSON.stringify(written));
  execFileSync(python, [script, folder], { stdio: 'ignore', timeout: 600_000 });
  const errors = JSON.parse(readFileSync(join(folder, 'errors.json'), 'utf8')) as Peers['errors']; // peer.py wrote it
  return { folder, errors };
}

const numpyTypes: Readonly<Record<string, string>> = { bool: '?' };

function writeFeed(
  folder: string,
  { feed, index }: { readonly feed: ReadonlyMap<string, Tensor>; readonly index: number },
): Record<string, unknown> {
  return Object.fromEntries(
    [...feed].map(([name, { dtype, shape, data }], i) => {
      if (!ArrayBuffer.isView(data)) throw new Error(`Input ${name} holds ${dtype}, which the peer is not fed.`);
      const file = `feed-${index}-${i}.bin`;
      writeFileSync(join(folder, file), new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      return [name, { dtype: numpyTypes[dtype] ?? dtype, shape, file }];
    }),
  );
}

/** Bytes, error and latency of ours beside the peer's, on samples that neither was calibrated on. */
export async function besidePeer({
  peers,
  preset,
  input,
  output,
  executor,
}: {
  readonly peers: Peers;
  readonly preset: string;
  readonly input: string;
  readonly output: string;
  readonly executor: Executor;
}): Promise<string> {
  const path = join(peers.folder, `${preset}.onnx`);
  if (!existsSync(path)) return `peer: none${peers.errors[preset] ? ` (${peers.errors[preset]})` : ''}`;
  const files = nodeFiles('/', { confine: false });
  const open = (path: string): Promise<Session> => executor.openFile!({ files, path }); // onnxruntime in Node reads files
  const original = await open(input);
  const ours = await open(output);
  try {
    const theirs = await open(path);
    try {
      const feeds = await openRandom({ input, executor, take: 64, seed: 2 }); // outputs may be two numbers a sample
      const worst = async (session: Session) => {
        const { outputs } = await compareSessions(original, session, { batches: feeds(), latency: false });
        return Math.min(...outputs.map(({ snrDb }) => snrDb));
      };
      const [a, b] = [await worst(theirs), await worst(ours)];
      const [feed] = await firstOf(feeds());
      const latency = feed
        ? (await measureLatencyPair({ session: theirs, feeds: feed }, { session: ours, feeds: feed }, { runs: 100 }))
            .ratio
        : Number.NaN;
      // Beyond this, both compute the same for any use: the rest is the rounding of sums in another order.
      const heard = Math.min(b, exact) - Math.min(a, exact);
      const bytes = readFileSync(output).length / readFileSync(path).length;
      const isWorse = bytes > 1 || heard < -1 || latency > 1.05;
      return [
        `beside onnxruntime's quantizer: ${bytes.toFixed(3)} of its bytes`,
        `${b - a >= 0 ? '+' : ''}${(b - a).toFixed(1)} dB (${b.toFixed(1)} and ${a.toFixed(1)})`,
        `${latency.toFixed(2)} of its time`,
        ...(a >= exact && bytes < 1 ? ['which quantized nothing'] : isWorse ? ['WORSE'] : []),
      ].join(', ');
    } finally {
      await theirs.close();
    }
  } catch (cause) {
    return `peer does not load: ${String(cause).split('\n')[0]?.slice(0, 160)}`;
  } finally {
    await original.close();
    await ours.close();
  }
}

const exact = 60; // dB

async function firstOf<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  for await (const item of items) return [item];
  return [];
}
