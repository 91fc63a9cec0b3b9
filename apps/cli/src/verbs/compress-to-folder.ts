import { checkFolderRecipe, compressFolder, type FolderRecipe, type Recipe, setInRecipe } from '@espalier/recipe';
import type { FolderPreset } from 'espalier';
import type { SharedFlags } from '../flags.js';
import { folderText } from '../folder-text.js';
import { type InputFlags, inputRequestOf } from '../input-flags.js';
import type { Surroundings } from '../surroundings.js';
import { version } from '../version.js';
import { withWorkbench } from '../workbench.js';
import { writeReport } from '../write-report.js';

/** The flags of `compress` that matter for a preset whose output is a folder. */
export interface FolderFlags extends SharedFlags, InputFlags {
  readonly output: string;
  readonly preset?: string;
  readonly set: readonly string[];
  readonly report?: string;
  readonly force?: true;
}

/** The preset, and what the flags on data and seeds make of each form's recipe. */
export interface FolderWork {
  readonly preset: FolderPreset;
  readonly withFlags: (recipe: Recipe) => Recipe;
}

/** `espalier compress MODEL-or-FOLDER -o FOLDER --preset web`. */
export const compressToFolder = (
  input: string,
  flags: FolderFlags,
  { surroundings, preset, withFlags }: FolderWork & { readonly surroundings: Surroundings },
): Promise<void> =>
  withWorkbench(flags, surroundings, {
    async work({ registry, executor, files, progress, answer }) {
      const changed = flags.set.reduce<unknown>(setInRecipe, preset.recipe);
      const recipe = inEveryForm(checkFolderRecipe(changed, `preset ${flags.preset}`), withFlags);
      const given = await inputRequestOf(flags, files);
      const report = await compressFolder({
        recipe,
        registry,
        executor,
        files,
        input,
        output: flags.output,
        force: flags.force ?? false,
        ...(given ? { given } : {}),
        versions: { espalier: version, node: process.versions.node },
        progress: progress.show,
        ...(surroundings.signal ? { signal: surroundings.signal } : {}),
      });
      const models = new Set(report.forms.map(({ model }) => model));
      for (const form of report.forms) {
        if (flags.report === undefined) break;
        const folder = models.size > 1 ? `${form.dtype}/${form.model}` : form.dtype;
        await writeReport(files, `${flags.report}/${folder}`, form.report);
      }
      progress.close();
      answer(report, () => folderText(report));
    },
  });

const inEveryForm = (recipe: FolderRecipe, change: (recipe: Recipe) => Recipe): FolderRecipe => ({
  ...recipe,
  forms: Object.fromEntries(
    Object.entries(recipe.forms).map(([dtype, form]) => [dtype, { ...form, recipe: change(form.recipe) }]),
  ),
});
