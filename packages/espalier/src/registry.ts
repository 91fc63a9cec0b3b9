import * as analysis from '@espalier/analysis';
import * as autodiff from '@espalier/autodiff';
import { createRegistry } from '@espalier/core';
import * as datasets from '@espalier/datasets';
import { onnxExport, onnxImport } from '@espalier/onnx';
import { onnxruntime } from '@espalier/onnxruntime';
import { inferShapesPass } from '@espalier/ops';
import * as passes from '@espalier/passes';
import * as pruners from '@espalier/pruners';
import * as quantizers from '@espalier/quantizers';
import * as schedules from '@espalier/schedules';
import { tfjs } from '@espalier/tensor';
import { finetune, sparsify } from '@espalier/training';
import * as zoo from '@espalier/zoo';

/** Every built-in plugin. `registry.with('acme', plugins)` adds third-party ones. */
export const registry = createRegistry([
  onnxImport,
  onnxExport,
  onnxruntime,
  tfjs,
  passes.simplifyPass,
  passes.foldConstantsPass,
  passes.foldBatchNormPass,
  inferShapesPass,
  passes.removeIdentityPass,
  passes.removeDeadNodesPass,
  passes.mergeDuplicatesPass,
  passes.normalizeGemmPass,
  passes.convolveShortcutsPass,
  passes.lowerCustomOpsPass,
  quantizers.staticQuantizer,
  quantizers.dynamicQuantizer,
  quantizers.weightsQuantizer,
  quantizers.fp16Quantizer,
  quantizers.minmax,
  quantizers.percentile,
  quantizers.entropy,
  quantizers.mse,
  pruners.removeDeadUnitsPass,
  pruners.magnitude,
  pruners.randomPruner,
  pruners.lamp,
  pruners.fpgm,
  pruners.cosine,
  pruners.taylor,
  pruners.fisher,
  pruners.snip,
  pruners.activation,
  analysis.nearest,
  analysis.successive,
  analysis.descent,
  datasets.fashionMnist,
  datasets.mnist,
  datasets.images,
  datasets.idx,
  datasets.cifar10,
  datasets.npz,
  datasets.npy,
  datasets.synthetic,
  datasets.randomInputs,
  autodiff.sgd,
  autodiff.adam,
  autodiff.adamw,
  autodiff.crossEntropy,
  autodiff.meanSquaredError,
  autodiff.distillation,
  autodiff.featureMatching,
  schedules.constant,
  schedules.oneShot,
  schedules.linear,
  schedules.cosine,
  schedules.exponential,
  schedules.cubic,
  schedules.cyclical,
  schedules.steps,
  schedules.oneCycle,
  schedules.warmUp,
  finetune,
  sparsify,
  zoo.lenet5,
  zoo.vgg7,
  zoo.resnet20,
  zoo.resnet32,
  zoo.resnet56,
  zoo.resnet18,
  zoo.mobilenetV2,
  zoo.shufflenetV2,
  zoo.alexnet,
  zoo.vitTiny,
  zoo.bertTiny,
  zoo.decoderTiny,
]);
