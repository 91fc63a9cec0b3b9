import { floats, type Loop, type Session, type Tensor, toNumbers } from '@espalier/core';
import { type Check, must, mustFail } from './kit.js';

/** Makes a check of a session for `add = x + z` and `sub = x - z`, both of two numbers. */
type Opened = (name: string, run: (session: Session) => Promise<void>) => Check;

const z: ReadonlyMap<string, Tensor> = new Map([['z', floats([10, 20])]]);

/** The contract of consecutive runs in executors that have them: x is carried, each time the sum of itself and z. */
export function loopChecks(id: string, opened: Opened): readonly Check[] {
  const looping = (name: string, run: (loop: Loop, initial: Tensor<'float32'>) => Promise<void>): Check =>
    opened(name, async (session) => {
      const initial = floats([1, 2]);
      const loop = await session.loop?.([{ input: 'x', output: 'add', initial }]);
      if (!loop) return; // results are host tensors there
      await run(loop, initial);
      await loop.close();
    });
  const same = (found: Tensor | undefined, wanted: string) => {
    const numbers = found && toNumbers(found).join();
    must(numbers === wanted, id, { expected: wanted, found: numbers ?? 'nothing' });
  };
  return [
    looping('carries an output to the next run of a loop', async (loop) => {
      await loop.step(z);
      same((await loop.step(z, ['sub'])).get('sub'), '1,2'); // 11 - 10 and 22 - 20
      same((await loop.read()).get('x'), '21,42');
      must((await loop.step(z, [])).size === 0, id, { expected: 'no output that was not asked for', found: 'some' });
      same((await loop.read(['x'])).get('x'), '31,62');
    }),
    looping('leaves what a loop began with as it was, and what is read to the caller', async (loop, initial) => {
      await loop.step(z);
      same(initial, '1,2');
      ((await loop.read()).get('x')!.data as Float32Array).fill(0); // the caller owns it, and it is float32
      initial.data.fill(0);
      same((await loop.read()).get('x'), '11,22');
    }),
    looping('keeps what a loop carries when a run is refused', async (loop) => {
      await loop.step(z);
      await mustFail('EXECUTOR_INPUT', `${id}, a missing input`, () => loop.step(new Map()));
      await mustFail('EXECUTOR_INPUT', `${id}, a carried input`, () =>
        loop.step(new Map([...z, ['x', floats([0, 0])]])),
      );
      await mustFail('EXECUTOR_OUTPUT', `${id}, an unknown output`, () => loop.step(z, ['nothing']));
      same((await loop.read()).get('x'), '11,22');
    }),
    opened('refuses a loop over what is not there, and keeps two loops apart', async (session) => {
      if (!session.loop) return;
      const initial = floats([1, 2]);
      await mustFail('EXECUTOR_*', `${id}, an unknown input`, () =>
        session.loop!([{ input: 'w', output: 'add', initial }]),
      );
      await mustFail('EXECUTOR_*', `${id}, an unknown output`, () =>
        session.loop!([{ input: 'x', output: 'nothing', initial }]),
      );
      const [a, b] = [
        await session.loop([{ input: 'x', output: 'add', initial }]),
        await session.loop([{ input: 'x', output: 'sub', initial }]),
      ];
      await a.step(z);
      await b.step(z);
      same((await a.read()).get('x'), '11,22');
      same((await b.read()).get('x'), '-9,-18');
      await a.close();
      await a.close();
      await b.step(z);
      same((await b.read()).get('x'), '-19,-38');
    }),
  ];
}
