import { EspalierError, problem, type Reference, type Registry, readReference } from '@espalier/core';

/** The step that failed. */
interface FailedStep {
  readonly where: string;
  readonly reference: Reference;
  readonly registry: Registry;
}

/**
 * An error of a step with the step in front, unless it names the step already. An error that is no EspalierError, in a
 * step that names plugins of third parties, becomes PLUGIN_FAULT: it is theirs to correct.
 */
export function stepError(cause: unknown, { where, reference, registry }: FailedStep): unknown {
  const { use } = readReference(reference, where);
  if (cause instanceof EspalierError) {
    if (cause.message.startsWith(where)) return cause;
    return new EspalierError(
      cause.code,
      `${where} (${use}): ${cause.message}`,
      { ...cause.details, step: where },
      { cause },
    );
  }
  const plugins = foreignIds(reference, registry);
  if (plugins.length === 0) return cause;
  return problem('PLUGIN_FAULT', {
    where: `${where}`,
    expected: `the plugin ${plugins.join(', ')} to do its work, or to throw an EspalierError`,
    found: cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause),
    fix: 'Correct the plugin, or report this to its author.',
    details: { plugins },
    cause,
  });
}

/** Ids with a namespace that stand anywhere in a reference and that the registry has. */
function foreignIds(reference: unknown, registry: Registry): readonly string[] {
  const kinds = [...new Set(registry.list().map(({ kind }) => kind))];
  const foreign = new Set(kinds.flatMap((kind) => registry.ids(kind)).filter((id) => id.includes('/')));
  const textsIn = (value: unknown): readonly string[] =>
    typeof value === 'string'
      ? [value]
      : typeof value === 'object' && value !== null
        ? Object.values(value).flatMap(textsIn)
        : [];
  return [...new Set(textsIn(reference).filter((text) => foreign.has(text)))];
}
