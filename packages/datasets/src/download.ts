import { joinBytes, problem } from '@espalier/core';
import { checkContent } from './check-content.js';
import type { PublishedFile } from './published-file.js';
import { gunzip, isGzip } from './read-data-file.js';

/** Options of a download. */
export interface DownloadOptions {
  /** Milliseconds without a byte after which an address is given up. Default: 30,000. */
  readonly timeout?: number;
  readonly progress?: (message: string, done?: number) => void;
}

/** A file as it came over the network, and what is inside. */
export interface Downloaded {
  readonly packed: Uint8Array;
  readonly content: Uint8Array;
}

/**
 * Downloads a file from the first of its addresses that serves it, never more bytes than its content has, and
 * checks it.
 * @throws DATA_DOWNLOAD with what each address said, DATA_CHECKSUM when one serves something else.
 */
export async function download(file: PublishedFile, options: DownloadOptions = {}): Promise<Downloaded> {
  const failures: string[] = [];
  for (const address of file.addresses) {
    const packed = await downloadFrom(address, file, options).catch((cause: unknown) => {
      failures.push(`${address}: ${reason(cause)}`);
      return undefined;
    });
    if (!packed) continue;
    const content = isGzip(packed) ? await gunzip(packed, { where: address, limit: file.bytes }) : packed;
    await checkContent(content, file, address);
    return { packed, content };
  }
  throw problem('DATA_DOWNLOAD', {
    where: file.path,
    expected: 'an address that serves the file',
    found: failures.join('; ') || 'no address',
    fix: 'Put the file into a data folder and name that folder in ESPALIER_DATA, or give the option `mirror`.',
    details: { file: file.path, failures },
  });
}

async function downloadFrom(address: string, file: PublishedFile, options: DownloadOptions): Promise<Uint8Array> {
  const { timeout = 30_000, progress } = options;
  const control = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const waitOn = () => {
    clearTimeout(timer);
    timer = setTimeout(() => control.abort(new Error(`no data for ${timeout / 1000} s`)), timeout);
  };
  try {
    waitOn();
    const answer = await fetch(address, { signal: control.signal });
    if (!answer.ok || !answer.body) throw new Error(`answer ${answer.status} ${answer.statusText}`.trim());
    const expected = Number(answer.headers.get('content-length')) || undefined;
    const parts: Uint8Array[] = [];
    let size = 0;
    const reader = answer.body.getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      size += next.value.length;
      if (size > file.bytes) throw new Error(`more than the ${file.bytes} bytes of the content`);
      parts.push(next.value);
      waitOn();
      progress?.(`downloading ${file.path}`, expected ? Math.min(1, size / expected) : undefined);
    }
    return joinBytes(parts);
  } finally {
    clearTimeout(timer);
    control.abort();
  }
}

function reason(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause instanceof Error ? `${cause.message} (${cause.cause.message})` : cause.message;
}
