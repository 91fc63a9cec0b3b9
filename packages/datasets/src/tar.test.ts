import fc from 'fast-check';
import { createTar } from 'nanotar';
import { describe, expect, it } from 'vitest';
import { isTar, readTar } from './tar.js';

const text = (value: string) => new TextEncoder().encode(value);

/** A header with any fields, and its checksum made right. */
function header(fields: { name?: string; size?: string; type?: string; prefix?: string }): Uint8Array {
  const out = new Uint8Array(512);
  out.set(text(fields.name ?? 'a.png'), 0);
  out.set(text(fields.size ?? '00000000000'), 124);
  out.set(text(fields.type ?? '0'), 156);
  out.set(text('ustar'), 257);
  out.set(text(fields.prefix ?? ''), 345);
  out.fill(32, 148, 156);
  const sum = out.reduce((a, b) => a + b, 0);
  out.set(text(`${sum.toString(8).padStart(6, '0')}\0 `), 148);
  return out;
}

const archive = (...parts: Uint8Array[]) => {
  const blocks = parts.map((part) => {
    const padded = new Uint8Array(Math.ceil(part.length / 512) * 512);
    padded.set(part);
    return padded;
  });
  return Uint8Array.from([...blocks.flatMap((block) => [...block]), ...new Uint8Array(1024)]);
};

describe('readTar', () => {
  it('reads what another program wrote', () => {
    const files = [
      { name: 'cat/1.png', data: text('first') },
      { name: 'dog/2.png', data: new Uint8Array(1000).fill(7) },
    ];
    const read = readTar(createTar(files), 'x.tar');
    expect(read.map(({ name, bytes }) => [name, bytes])).toEqual(files.map(({ name, data }) => [name, data]));
  });

  it('joins the name prefix of ustar headers', () => {
    expect(readTar(archive(header({ name: 'b/c.png', prefix: 'long/way' })), 'x')[0]!.name).toBe('long/way/b/c.png');
  });

  it('takes long names from GNU and pax headers for the next entry only', () => {
    const record = 'path=far/away.png\n';
    const pax = text(`${record.length + 3} ${record}`);
    const read = readTar(
      archive(
        header({ type: 'L', size: '00000000012' }),
        text('gnu/x.png\0'),
        header({ name: 'short' }),
        header({ type: 'x', size: pax.length.toString(8).padStart(11, '0') }),
        pax,
        header({ name: 'short' }),
        header({ name: 'plain' }),
      ),
      'x',
    );
    expect(read.map(({ name }) => name)).toEqual(['gnu/x.png', 'far/away.png', 'plain']);
  });

  it('leaves out links and folders', () => {
    expect(readTar(archive(header({ type: '5' }), header({ type: '2' }), header({ type: '1' })), 'x')).toEqual([]);
  });

  it.each([
    ['a negative size, which loops other readers', { size: '-0000000777' }, 0],
    ['a size beyond the archive', { size: '77777777777' }, 512],
    ['a long name of megabytes', { type: 'L', size: '00004000000' }, 512],
  ])('refuses %s', (_, fields, offset) => {
    const large = new Uint8Array('type' in fields ? 2 ** 20 : 0);
    const whole = new Uint8Array(512 + large.length + 512);
    whole.set(header(fields));
    expect(() => readTar(whole, 'x.tar')).toThrow(
      expect.objectContaining({ code: 'DATA_FORMAT', details: expect.objectContaining({ offset }) }),
    );
  });

  it('refuses bytes that are no archive, and says that they are none', () => {
    const bytes = new Uint8Array(2048).fill(65);
    expect(isTar(bytes)).toBe(false);
    expect(() => readTar(bytes, 'x.tar')).toThrow(/tar header/);
  });

  it('ends on any bytes, with an error or without', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4096 }), fc.uint8Array({ maxLength: 600 }), (rest, body) => {
        for (const bytes of [rest, Uint8Array.from([...header({ size: '00000000100' }), ...body])]) {
          try {
            readTar(bytes, 'x');
          } catch (error) {
            expect(error).toMatchObject({ code: 'DATA_FORMAT' });
          }
        }
      }),
      { numRuns: 50 },
    );
  });
});
