export { axisAt } from './axes/axis-at.js';
export { axisRuleOf } from './axes/axis-rules.js';
export { axisRulesOf } from './axes/axis-rules-of.js';
export type { AxisSpace } from './axes/axis-space.js';
export { type Relations, relateAxes } from './axes/relate-axes.js';
export type { RelateOptions } from './axes/relate-options.js';
export { firstCounts, nary, unary, where } from './axes/rules/elementwise.js';
export * from './cholesky.js';
export { type ConstantOwners, constantOwners } from './constant-owners.js';
export { type ConstantRole, isParameter, parametersOf, roleOf } from './constant-role.js';
export { dampedInverse } from './damped-inverse.js';
export { gramIndefinite } from './errors.js';
export { broadcastTo } from './evaluate/broadcast.js';
export { castTarget } from './evaluate/cast.js';
export * from './evaluate/evaluate-node.js';
export { evaluatedForms } from './evaluate/evaluated-forms.js';
export { wholeNumbersOf } from './evaluate/numeric.js';
export { beyondForm, type OpForm, opForm } from './evaluate/op-form.js';
export {
  type Contents,
  contentsAfter,
  contentsOf,
  contentsOfShape,
  type Element,
  tensorOfContents,
} from './evaluate/shape-contents.js';
export { strided, stridesOf } from './evaluate/strided.js';
export * from './infer-shapes.js';
export {
  isRefusal,
  type Layer,
  type LayerKind,
  type LayerWeight,
  type Refusal,
  type WeightAxes,
} from './layer/layer.js';
export { layerOf, operandsOf, weightIn } from './layer/layer-of.js';
export { type Movement, type MovementOp, movementOf } from './movement.js';
export * from './op-names.js';
export { branchMacs } from './products/branch-macs.js';
export { loneSite, type ShapeOf } from './products/lone-site.js';
export { bodiesOf, contradicts, type InfoOf, type NodeBody, runsBodies } from './products/node-bodies.js';
export type { Product, ProductRule } from './products/product.js';
export { multiplies, multiplyAdds, productRuleOf, productsOf } from './products/products-of.js';
export * from './set-input-shapes.js';
export { bindDim } from './shapes/dim.js';
export { functionBody, functionKey } from './shapes/function-body.js';
export { codeOfDtype, dtypeAttribute } from './shapes/onnx-dtype.js';
export { subMatrix } from './sub-matrix.js';
export * from './unknown-ops.js';
export { codedInput } from './weights/coded-inputs.js';
export { countZeroElements, countZeros } from './weights/count-zeros.js';
export { type RealWeight, transposedWeight, weightOf } from './weights/dequantize-weight.js';
export { numbersOf } from './weights/numbers-of.js';
export { codingOf, codingParts } from './weights/weight-coding.js';
export { type Window, type WindowSizes, windowOf } from './window.js';
