import { readFileSync } from 'node:fs';
import { decodeOnnx } from '@espalier/onnx';
import { encodeOnnx } from '@espalier/onnx';
import { simplify } from '@espalier/passes';
import { test } from 'vitest';
import { normals } from '../../test/networks.js';
import { evidenceFor, fusedOps, run } from '../../test/oracle.js';
import { inferShapes } from '@espalier/ops';
import { learnedQuantizer } from './learned.js';
import { integersQuantizer } from './integers.js';
import { quantizationError } from '../quantization-error.js';
const draw = normals(3);
test('look', async () => {
  const graph = inferShapes(decodeOnnx(new Uint8Array(readFileSync('/work/shared/models/resnet20-cifar10.onnx'))));
  const feeds = [new Map([['image', draw([8, 3, 32, 32])]])];
  for (const [w, a, batchNorm, method] of [[8,8,'batch','lsq'],[4,4,'batch','lsq'],[4,8,'fold','lsq+'],[2,8,'batch','ste']] as const) {
    const plan = learnedQuantizer({ method, weights: { bits: w }, activations: { bits: a }, batchNorm })(graph);
    const { graph: learned, notes } = plan.apply(await evidenceFor(plan.graph, plan.needs, feeds));
    const c: any = {}; for (const n of learned.nodes) c[n.op] = (c[n.op] ?? 0) + 1;
    const plan2 = integersQuantizer({})(learned);
    const out = plan2.apply({} as any);
    const [f, t, i] = [await run(graph, feeds[0]!), await run(learned, feeds[0]!), await run(out.graph, feeds[0]!)];
    const size = (each: any) => encodeOnnx(each).reduce((sum, chunk) => sum + chunk.length, 0);
    console.log(w, a, batchNorm, JSON.stringify(c), JSON.stringify(await fusedOps(out.graph)), size(out.graph));
    console.log('float/learned', quantizationError(f.get('logits')!, t.get('logits')!).snrDb, 'learned/int', quantizationError(t.get('logits')!, i.get('logits')!).snrDb);
    console.log(t.get('logits')!.data.slice(0, 6), i.get('logits')!.data.slice(0, 6));
    if (w===4 && a===4) for (const n of out.notes.slice(0,3)) console.log(n.reason);
  }
});
