import { definePlugin, int, longs, scalar } from '@espalier/core';
import { missingLossInput } from '../errors.js';
import { classTarget } from './class-target.js';
import { classLoss } from './cross-entropy.js';

const classAxis = /* @__PURE__ */ longs([1]);

/**
 * Learning from a teacher's logits (Hinton, Vinyals & Dean 2015, arXiv 1503.02531, section 2):
 *
 *     w T² mean over n of KL(softmax(teacher/T) ‖ softmax(logits/T)) + (1 - w) cross-entropy(logits, target)
 *
 * with a further input `teacher`, float32 of the shape of the logits. Equal logits leave (1 - w) cross-entropy.
 */
export const distillation = /* @__PURE__ */ definePlugin({
  kind: 'loss',
  id: 'distillation',
  about: 'Agreement with the logits of a teacher, mixed with cross-entropy.',
  options: {
    temperature: { type: 'number', default: 4, min: 1e-3, about: 'softness of both distributions' },
    weight: { type: 'number', default: 0.9, min: 0, max: 1, about: 'share of the teacher' },
    labelSmoothing: { type: 'number', default: 0, min: 0, max: 1, about: 'label smoothing of the cross-entropy' },
  },
  create: ({ temperature, weight, labelSmoothing }) => {
    const [cool, share, rest] = [scalar(1 / temperature), scalar(weight * temperature ** 2), scalar(1 - weight)];
    return {
      reads: 'logits',
      target: (site) => classTarget(site, 'loss distillation'),
      inputs: ({ output }) => new Map([['teacher', output]]),
      teacher: new Map([['teacher', 'output']]),
      build(b, { output, target, inputs }) {
        const teacher = inputs?.get('teacher');
        if (teacher === undefined) throw missingLossInput('loss distillation', 'teacher');
        const logs = (value: string) =>
          b.add('LogSoftmax', [b.add('Mul', [value, b.constant('cooling', cool)])], { attributes: { axis: int(1) } });
        const [wanted, found] = [logs(teacher), logs(output)];
        const terms = b.add('Mul', [b.add('Exp', [wanted]), b.add('Sub', [wanted, found])]);
        const each = b.add('ReduceSum', [terms, b.constant('class_axis', classAxis)], {
          attributes: { keepdims: int(0) },
        });
        const divergence = b.add('ReduceMean', [each], { attributes: { keepdims: int(0) } });
        const soft = b.add('Mul', [divergence, b.constant('teacher_share', share)]);
        const hard = classLoss(b, { output, target, labelSmoothing });
        return b.add('Add', [soft, b.add('Mul', [hard, b.constant('target_share', rest)])], { name: 'loss' });
      },
    };
  },
});
