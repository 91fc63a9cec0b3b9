export { type AnalyzeRequest, analyzeModel, type ClosableRunner } from './analyze-model.js';
export { checkOutput, type OutputRequest } from './check-output.js';
export { checkRecipe } from './check-recipe.js';
export { checkSteps } from './check-steps.js';
export { type CompressRequest, compress } from './compress.js';
export {
  compressFolder,
  type FolderReport,
  type FolderRequest,
  type WrittenForm,
} from './folder/compress-folder.js';
export { checkFolderRecipe, type FolderForm, type FolderRecipe } from './folder/folder-recipe.js';
export { checkInputRequest, type InputRequest, sizedGraph } from './input-request.js';
export { commonPorts, portsOf } from './model-ports.js';
export { type NamedModel, openAnyModel } from './open-any-model.js';
export { type BatchWish, batchesFor, type DataContext, openData } from './open-data.js';
export { type OpenedModel, openModel } from './open-model.js';
export { openRecipeData, type RecipeData } from './open-recipe-data.js';
export { openSamples, type ReadModel, type Samples, type SamplesRequest } from './open-samples.js';
export { openSession } from './open-session.js';
export type { JsonSchema } from './options-schema.js';
export { parseRecipe } from './parse-recipe.js';
export {
  type DataRole,
  type DataSource,
  defineRecipe,
  type PreprocessFields,
  type Recipe,
  type RecipeStep,
} from './recipe.js';
export { recipeSchema } from './recipe-schema.js';
export { resolvedRecipe } from './resolved-recipe.js';
export { runSteps, type StepRecord, type StepsRun } from './run-steps.js';
export { setInRecipe } from './set-in-recipe.js';
export { type StagedOutput, stageOutput } from './stage-output.js';
export {
  type Batches,
  driverOptions,
  type OptionVariants,
  type Progress,
  type StepContext,
  type StepKind,
  type StepOutcome,
} from './step.js';
export type { RunRequest } from './step-context.js';
export { type StepName, stepKinds } from './step-kinds.js';
export { type TrainingReport, type TrainModelRequest, trainModel } from './train-model.js';
export type { TrainingFacts } from './training-facts.js';
