import type { Attribute } from './attribute.js';
import type { Graph, Node, ValueId, ValueInfo } from './graph.js';
import { toNumbers } from './numbers.js';
import { sizeOf, type Tensor } from './tensor.js';

/**
 * A graph as readable text, one line a node; the same graph always prints the same text. Small constants show
 * their elements, large ones their type only.
 *
 *     graph "net" (opset 17)
 *       in  x: float32[batch,4]
 *       w: float32[4,2]
 *       y: float32[batch,2] = MatMul(x, w)
 *       out y
 */
export function printGraph(graph: Graph): string {
  const opsets = [...graph.opsets].map(([domain, version]) => `${domain ? `${domain} ` : 'opset '}${version}`);
  const head = `graph "${graph.name}"${opsets.length ? ` (${opsets.join(', ')})` : ''}`;
  return [head, ...body(graph).map((line) => `  ${line}`), ''].join('\n');
}

function body(graph: Graph): readonly string[] {
  const typed = (value: ValueId | undefined) =>
    value === undefined ? '_' : `${value}${typeText(graph.values.get(value))}`;
  return [
    ...graph.inputs.map((value) => `in  ${typed(value)}`),
    ...[...graph.constants].map(([value, tensor]) => `${value}: ${tensorText(tensor)}`),
    ...graph.nodes.flatMap((node) => nodeText(node, typed)),
    ...graph.outputs.map((value) => `out ${value}`),
  ];
}

function nodeText(node: Node, typed: (value: ValueId | undefined) => string): readonly string[] {
  const plain: string[] = [];
  const nested: string[] = [];
  for (const [name, attribute] of [...node.attributes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const bodies = attribute.kind === 'graph' ? [attribute.value] : attribute.kind === 'graphs' ? attribute.value : [];
    if (bodies.length === 0) plain.push(`${name}=${attributeText(attribute)}`);
    for (const inner of bodies) nested.push(`  ${name}:`, ...body(inner).map((line) => `    ${line}`));
  }
  const inputs = node.inputs.map((value) => value ?? '_').join(', ');
  const attributes = plain.length ? ` {${plain.join(', ')}}` : '';
  return [`${node.outputs.map(typed).join(', ')} = ${node.op}(${inputs})${attributes}`, ...nested];
}

function typeText(info: ValueInfo | undefined): string {
  if (!info) return '';
  const inner = `${info.dtype}${info.shape ? `[${info.shape.join(',')}]` : '[...]'}`;
  const wrapped = (info.container ?? []).reduceRight(
    (text, each) => (typeof each === 'string' ? `${each}<${text}>` : `map<${each.mapFrom}, ${text}>`),
    inner,
  );
  return `: ${wrapped}`;
}

function tensorText(tensor: Tensor): string {
  const type = `${tensor.dtype}[${tensor.shape.join(',')}]`;
  if (sizeOf(tensor.shape) > 8 || tensor.dtype.startsWith('complex')) return type;
  const values = tensor.dtype === 'string' ? tensor.data.map((each) => JSON.stringify(each)) : toNumbers(tensor);
  return `${type} = ${values.join(' ')}`;
}

function attributeText(attribute: Attribute): string {
  switch (attribute.kind) {
    case 'ints':
    case 'floats':
      return `[${attribute.value.join(',')}]`;
    case 'text':
      return JSON.stringify(attribute.value);
    case 'texts':
      return JSON.stringify(attribute.value);
    case 'tensor':
      return tensorText(attribute.value);
    case 'tensors':
      return `[${attribute.value.map(tensorText).join('; ')}]`;
    case 'type':
      return typeText(attribute.value).slice(2);
    case 'types':
      return `[${attribute.value.map((each) => typeText(each).slice(2)).join('; ')}]`;
    case 'bytes':
      return `${attribute.value.length} bytes`;
    case 'reference':
      return `@${attribute.value}`;
    case 'graph':
    case 'graphs':
      return '';
    default:
      return `${attribute.value}`;
  }
}
