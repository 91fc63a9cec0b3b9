import { evaluatedForms, type OpForm, opForm } from '@espalier/ops';
import type { SupportedOp } from './kernel-of.js';

const window = 'auto_pad dilations kernel_shape pads strides';
/** Ops of Espalier's own, whose attributes are those that the kernels read. */
const convolutionGradient = opForm('floats', `${window} group input_shape`);
const grid = opForm('floats', 'axis bits signed narrow low high role learned slope');

/**
 * The part of each op that is run here, by its kernels or by the host; see `OpForm`. An op that the host computes too
 * takes there what its kernels decline, so one form says what both read. Statistics for training do not matter
 * (`momentum`, `seed`, `ratio`), nor does the precision of sums (`stash_type`).
 */
export const kernelForms = {
  ...evaluatedForms,
  AveragePool: opForm('floats', `${window} ceil_mode count_include_pad`),
  BatchNormalization: opForm('floats', 'epsilon momentum', { training_mode: [0], spatial: [1] }),
  Conv: opForm('floats', `${window} group`),
  ConvTranspose: opForm('floats', `${window} group output_padding output_shape`),
  DepthToSpace: opForm('any', 'blocksize', { mode: ['DCR', 'CRD'] }),
  Dropout: opForm('floats', 'ratio seed'),
  GlobalAveragePool: opForm('floats'),
  GlobalMaxPool: opForm('floats'),
  GroupNormalization: opForm('floats', 'epsilon num_groups stash_type'),
  InstanceNormalization: opForm('floats', 'epsilon'),
  LayerNormalization: opForm('floats', 'axis epsilon stash_type'),
  LogSoftmax: opForm('floats', 'axis'),
  MaxPool: opForm('floats', `${window} ceil_mode storage_order`),
  Resize: opForm(
    'floats',
    'antialias axes coordinate_transformation_mode cubic_coeff_a exclude_outside extrapolation_value keep_aspect_ratio_policy mode nearest_mode',
  ),
  Shrink: opForm('floats', 'bias lambd'),
  Softmax: opForm('floats', 'axis'),
  SpaceToDepth: opForm('any', 'blocksize', { mode: ['DCR', 'CRD'] }),
  Swish: opForm('floats', 'alpha'),
  Upsample: opForm('floats', 'mode'),
  'com.microsoft::Gelu': opForm('floats'),
  'com.microsoft::QuickGelu': opForm('floats', 'alpha'),
  'espalier::BatchNormGradient': opForm('floats', 'epsilon'),
  'espalier::BatchNormTraining': opForm('floats', 'epsilon'),
  'espalier::ConvInputGradient': convolutionGradient,
  'espalier::ConvWeightGradient': convolutionGradient,
  'espalier::FakeQuantize': grid,
  'espalier::FakeQuantizeGradient': grid,
  'espalier::MaxPoolGradient': opForm('floats', `${window} ceil_mode storage_order`),
} as const satisfies Readonly<Record<SupportedOp, OpForm>>;

// A Map, because op names come from files and must not find properties of Object.
const byOp: ReadonlyMap<string, OpForm> = new Map(Object.entries(kernelForms));

/** The part of an op that is run here; undefined where it is not. */
export const kernelForm = (op: string): OpForm | undefined => byOp.get(op);
