import type { TrainingStep } from '@espalier/autodiff';
import { didYouMean, type Graph, indexOf, type Loss, type Tensor, type ValueId } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { removeDeadNodes } from '@espalier/passes';
import { badRequest } from '../errors.js';
import { fixedBatch } from '../evaluate.js';
import { logitsOf } from '../logits-of.js';
import type { TrainRequest } from '../train-request.js';

type Tensors = ReadonlyMap<string, Tensor>;

/** The teacher of a run, ready to answer. */
export interface Teacher {
  /** The further inputs of the loss for a batch, those of the request included. */
  answers(inputs: Tensors): Promise<Tensors>;
  close(): Promise<void>;
}

/**
 * Opens the teacher on the run's executor, in inference form and with the values alone that the loss wants. Without a
 * teacher the request's own `lossInputs` answer; undefined where the loss wants nothing.
 * @throws TRAINING_REQUEST where loss, teacher and model do not go together.
 */
export async function openTeacher(request: TrainRequest, step: TrainingStep): Promise<Teacher | undefined> {
  const { teacher, loss, executor, lossInputs } = request;
  const wanted = loss.teacher ?? new Map<string, never>();
  if (!teacher) {
    if (wanted.size > 0 && !lossInputs) throw noTeacher();
    return lossInputs && { answers: lossInputs, close: async () => {} };
  }
  if (wanted.size === 0) throw uselessTeacher();
  checkTeacher(teacher, request);
  const { graph, values } = taughtBy(teacher, loss);
  const session = await executor.open(graph);
  const names = [...new Set(values.values())];
  let [last, closed]: [Promise<unknown>, boolean] = [Promise.resolve(), false];
  const run = async (inputs: Tensors): Promise<Tensors> => {
    if (closed) return new Map(); // a batch that was prepared ahead of the end
    const feeds = new Map(graph.inputs.map((name) => [name, inputs.get(name)!])); // checkTeacher compared the names
    const results = await session.run(feeds, names);
    const own = new Map([...values].map(([input, value]) => [input, results.get(value)!])); // fetched by name
    for (const [input, value] of own) checkShape(step, { input, value, name: values.get(input)! });
    return new Map([...((await lossInputs?.(inputs)) ?? []), ...own]);
  };
  return {
    answers(inputs) {
      const answer = last.then(() => run(inputs)); // one at a time: batches are prepared ahead
      last = answer.catch(() => {});
      return answer;
    },
    async close() {
      closed = true;
      await last;
      await session.close();
    },
  };
}

/** The teacher with what the loss wants as its outputs, and their names by the loss's names for them. */
function taughtBy(
  teacher: Graph,
  loss: Loss,
): { readonly graph: Graph; readonly values: ReadonlyMap<string, ValueId> } {
  const form = loss.reads === 'logits' ? logitsOf(teacher) : teacher;
  const values = new Map(
    [...(loss.teacher ?? [])].map(([input, want]) => [input, want === 'output' ? form.outputs[0]! : want.value]),
  );
  const made = indexOf(teacher).producer;
  for (const value of values.values()) {
    if (made.has(value)) continue;
    throw badRequest('teacher', {
      expected: `a value "${value}", as the loss wants it`,
      found: 'none of that name',
      fix: `${didYouMean(value, made.keys())}Write STUDENT_VALUE=TEACHER_VALUE where the names differ.`,
    });
  }
  return { graph: removeDeadNodes(inferShapes({ ...teacher, outputs: [...new Set(values.values())] })), values };
}

function checkTeacher(teacher: Graph, { model, batch }: TrainRequest): void {
  const strange = teacher.inputs.find((name) => !model.inputs.includes(name));
  if (strange !== undefined) {
    throw badRequest('teacher', {
      expected: `inputs among ${model.inputs.join(', ')}, as the model's`,
      found: `"${strange}"`,
      fix: 'Rename the input of one of the two models.',
    });
  }
  const fixed = fixedBatch(teacher);
  if (fixed === undefined || fixed === batch) return;
  throw badRequest('batch', { expected: `${fixed}, the only batch size the teacher takes`, found: String(batch) });
}

function checkShape(
  step: TrainingStep,
  { input, value, name }: { readonly input: string; readonly value: Tensor; readonly name: ValueId },
): void {
  const port = step.lossInputs.get(input);
  const shape = port === undefined ? undefined : step.graph.values.get(port)?.shape;
  const fits =
    shape?.length === value.shape.length && shape.every((dim, i) => typeof dim === 'string' || dim === value.shape[i]);
  if (!shape || fits) return;
  throw badRequest(`teacher's value "${name}"`, {
    expected: `float32[${shape.join(',')}], as the model's own`,
    found: `${value.dtype}[${value.shape.join(',')}]`,
    fix: 'Match values of the same shape, or choose a teacher with the same classes.',
  });
}

const noTeacher = () =>
  badRequest('loss', {
    expected: 'a teacher, for the loss learns from one',
    found: 'none',
    fix: 'Write `teacher: original` for the model as the recipe began, the path of a model file, or an architecture.',
  });

const uselessTeacher = () =>
  badRequest('teacher', {
    expected: 'a loss that learns from it, such as distillation',
    found: 'a loss that does not',
    fix: 'Use the loss `distillation` or `feature-matching`, or leave out the teacher.',
  });
