import { readFileSync } from 'node:fs';
import { decodeOnnx } from '@espalier/onnx';
import { test } from 'vitest';
import { normals } from '../../test/networks.js';
import { evidenceFor, run } from '../../test/oracle.js';
import { inferShapes } from '@espalier/ops';
import { learnedQuantizer } from './learned.js';
import { integersQuantizer } from './integers.js';
import { quantizationError } from '../quantization-error.js';
const draw = normals(3);
test('look', async () => {
  const graph = inferShapes(decodeOnnx(new Uint8Array(readFileSync('/work/shared/models/resnet20-cifar10.onnx'))));
  const feeds = [new Map([['image', draw([8, 3, 32, 32])]])];
  const plan = learnedQuantizer({ method: 'lsq', weights: { bits: 4 }, activations: { bits: 8 }, batchNorm: 'fold' })(graph);
  const { graph: learned } = plan.apply(await evidenceFor(plan.graph, plan.needs, feeds));
  const out = integersQuantizer({})(learned).apply({} as any).graph;
  const { fusedOps } = await import('../../test/oracle.js'); console.log('snr', JSON.stringify(await fusedOps(out)));
  const names = learned.nodes.filter((n) => n.op === 'espalier::FakeQuantize' && n.attributes.get('role')?.value === 'activation').map((n) => n.outputs[0]!);
  const a = await run({ ...learned, outputs: [...learned.outputs, ...names] }, feeds[0]!);
  const b = await run({ ...out, outputs: [...out.outputs, ...names] }, feeds[0]!);
  const wn = learned.nodes.filter((n) => n.op === 'espalier::FakeQuantize' && n.attributes.get('role')?.value === 'weight').slice(0, 2).map((n) => n.outputs[0]!);
  const wa = await run({ ...learned, outputs: [...learned.outputs, ...wn] }, feeds[0]!);
  for (const n of wn) { const conv = out.nodes.find((m) => m.op === 'Conv' && m.inputs[1]?.startsWith(n))!; console.log('snr', n, conv.id, conv.inputs.join());
    const wb = await run({ ...out, outputs: [...out.outputs, conv.inputs[1]!, conv.inputs[2]!] }, feeds[0]!);
    console.log('snr', wa.get(n)!.data.slice(0, 5).join(), '|', wb.get(conv.inputs[1]!)!.data.slice(0, 5).join());
    console.log('snr', quantizationError(wa.get(n)!, wb.get(conv.inputs[1]!)!).snrDb);
    const lb = learned.nodes.find((m) => m.inputs[1] === n)!; console.log('snr', (learned.constants.get(lb.inputs[2]!)!.data as any).slice(0, 4).join(), '|', wb.get(conv.inputs[2]!)!.data.slice(0, 4).join());
  }
  for (const n of names.slice(0, 12)) {
    const x = a.get(n)!.data as Float32Array, y = b.get(n)!.data as Float32Array;
    let d = 0, c = 0, m = 0; for (let i = 0; i < x.length; i++) { const e = Math.abs(x[i]! - y[i]!); if (e > 1e-6) c++; m = Math.max(m, e); }
    console.log(n, 'snr', quantizationError(a.get(n)!, b.get(n)!).snrDb.toFixed(1), 'differ', (c / x.length).toFixed(5), 'max', m);
  }
});
