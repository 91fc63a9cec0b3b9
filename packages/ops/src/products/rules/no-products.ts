import type { OpName } from '../../op-names.js';

/**
 * Known ops that multiply nothing, or element by element only: norms, pooling, activations, interpolation. Products in
 * the bodies of If, Loop and Scan are counted with the bodies.
 */
// biome-ignore format: a name on each line would make a page of five
export const noProducts = [
  'Abs', 'Acos', 'Acosh', 'Add', 'Affine', 'AffineGrid', 'And', 'ArgMax', 'ArgMin', 'Asin', 'Asinh', 'Atan', 'Atanh',
  'AveragePool', 'BatchNormalization', 'Bernoulli', 'BitShift', 'BitwiseAnd', 'BitwiseNot', 'BitwiseOr',
  'BitwiseXor', 'BlackmanWindow', 'Cast', 'CastLike', 'Ceil', 'Celu', 'CenterCropPad', 'Clip', 'Col2Im', 'Compress',
  'Concat', 'ConcatFromSequence', 'Constant', 'ConstantOfShape', 'Cos', 'Cosh', 'Crop', 'CumProd', 'CumSum', 'DFT',
  'DepthToSpace', 'DequantizeLinear', 'Det', 'Div', 'Dropout', 'DynamicQuantizeLinear', 'Elu', 'Equal', 'Erf', 'Exp',
  'Expand', 'EyeLike', 'Flatten', 'Floor', 'Gather', 'GatherElements', 'GatherND', 'Gelu', 'GlobalAveragePool',
  'GlobalLpPool', 'GlobalMaxPool', 'Greater', 'GreaterOrEqual', 'GridSample', 'GroupNormalization', 'HammingWindow',
  'HannWindow', 'HardSigmoid', 'HardSwish', 'Hardmax', 'Identity', 'If', 'ImageDecoder', 'ImageScaler',
  'InstanceNormalization', 'IsInf', 'IsNaN', 'LRN', 'LayerNormalization', 'LeakyRelu', 'Less', 'LessOrEqual', 'Log',
  'LogSoftmax', 'Loop', 'LpNormalization', 'LpPool', 'Max', 'MaxPool', 'MaxRoiPool', 'MaxUnpool', 'Mean',
  'MeanVarianceNormalization', 'MelWeightMatrix', 'Min', 'Mish', 'Mod', 'Mul', 'Multinomial', 'Neg',
  'NegativeLogLikelihoodLoss', 'NonMaxSuppression', 'NonZero', 'Not', 'OneHot', 'Optional', 'OptionalGetElement',
  'OptionalHasElement', 'Or', 'PRelu', 'Pad', 'ParametricSoftplus', 'Pow', 'QuantizeLinear', 'RMSNormalization',
  'RandomNormal', 'RandomNormalLike', 'RandomUniform', 'RandomUniformLike', 'Range', 'Reciprocal', 'ReduceL1',
  'ReduceL2', 'ReduceLogSum', 'ReduceLogSumExp', 'ReduceMax', 'ReduceMean', 'ReduceMin', 'ReduceProd', 'ReduceSum',
  'ReduceSumSquare', 'RegexFullMatch', 'Relu', 'Reshape', 'Resize', 'ReverseSequence', 'RoiAlign', 'RotaryEmbedding',
  'Round', 'STFT', 'ScaledTanh', 'Scan', 'Scatter', 'ScatterElements', 'ScatterND', 'Selu', 'SequenceAt',
  'SequenceConstruct', 'SequenceEmpty', 'SequenceErase', 'SequenceInsert', 'SequenceLength', 'SequenceMap', 'Shape',
  'Shrink', 'Sigmoid', 'Sign', 'SimplifiedLayerNormalization', 'Sin', 'Sinh', 'Size', 'Slice', 'Softmax',
  'SoftmaxCrossEntropyLoss', 'Softplus', 'Softsign', 'SpaceToDepth', 'Split', 'SplitToSequence', 'Sqrt', 'Squeeze',
  'StringConcat', 'StringNormalizer', 'StringSplit', 'Sub', 'Sum', 'Swish', 'Tan', 'Tanh', 'TensorScatter',
  'TfIdfVectorizer', 'ThresholdedRelu', 'Tile', 'TopK', 'Transpose', 'Trilu', 'Unique', 'Unsqueeze', 'Upsample',
  'Where', 'Xor', 'com.microsoft::BiasAdd', 'com.microsoft::BiasDropout', 'com.microsoft::BiasGelu',
  'com.microsoft::BiasSoftmax', 'com.microsoft::BiasSplitGelu', 'com.microsoft::BitmaskBiasDropout',
  'com.microsoft::CDist', 'com.microsoft::CropAndResize', 'com.microsoft::DequantizeLinear',
  'com.microsoft::EmbedLayerNormalization', 'com.microsoft::ExpandDims', 'com.microsoft::FastGelu',
  'com.microsoft::GatherBlockQuantized', 'com.microsoft::GatherND', 'com.microsoft::Gelu',
  'com.microsoft::GridSample', 'com.microsoft::GroupNorm', 'com.microsoft::Inverse',
  'com.microsoft::NGramRepeatBlock', 'com.microsoft::NhwcMaxPool', 'com.microsoft::QLinearAdd',
  'com.microsoft::QLinearAveragePool', 'com.microsoft::QLinearConcat', 'com.microsoft::QLinearGlobalAveragePool',
  'com.microsoft::QLinearLeakyRelu', 'com.microsoft::QLinearMul', 'com.microsoft::QLinearReduceMean',
  'com.microsoft::QLinearSigmoid', 'com.microsoft::QLinearSoftmax', 'com.microsoft::QLinearWhere',
  'com.microsoft::QuantizeLinear', 'com.microsoft::QuickGelu', 'com.microsoft::Range',
  'com.microsoft::RelativePositionBias', 'com.microsoft::RotaryEmbedding', 'com.microsoft::SkipGroupNorm',
  'com.microsoft::SkipLayerNormalization', 'com.microsoft::SkipSimplifiedLayerNormalization', 'com.microsoft::Trilu',
  'espalier::BatchNormGradient', 'espalier::BatchNormTraining', 'espalier::FakeQuantize',
  'espalier::FakeQuantizeGradient', 'espalier::MaxPoolGradient', 'espalier::ParameterizedQuantize',
  'espalier::ParameterizedQuantizeGradient',
] as const satisfies readonly OpName[];

/** The same, of ops that are not among the known ones. */
export const foreignNoProducts: readonly string[] = [
  'com.microsoft::QEmbedLayerNormalization',
  'com.microsoft.nchwc::ReorderInput',
  'com.microsoft.nchwc::ReorderOutput',
];
