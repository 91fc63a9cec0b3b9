import { Comment, CommentTag, Converter, ReflectionKind } from 'typedoc';

/**
 * A plugin is a constant with a call signature, whose type spells its whole table of options. API pages show plugins
 * in a group of their own instead, with the table as a table.
 */
export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const reflection of project.getReflectionsByKind(ReflectionKind.Variable)) {
      const { type } = reflection;
      if (type?.type !== 'reference' || type.name !== 'Plugin') continue;
      const [kind, options] = type.typeArguments ?? [];
      reflection.comment ??= new Comment();
      reflection.comment.blockTags.push(new CommentTag('@group', [{ kind: 'text', text: 'Plugins' }]));
      const lines = [`Plugin of kind \`${kind?.value}\`.`, ...tableOf(options)];
      reflection.comment.summary.push({ kind: 'text', text: `\n\n${lines.join('\n')}` });
      if (options?.type === 'reflection') project.removeReflection(options.declaration);
      type.typeArguments = kind && [kind];
    }
  });
}

/** The table of options: name, type, default, and what each is about. */
function tableOf(options) {
  const rows = membersOf(options).map(({ name, type }) => {
    const facts = Object.fromEntries(membersOf(type).map((fact) => [fact.name, fact.type]));
    const of = facts.of ? ` of ${textOf(facts.of)}` : '';
    return `| \`${name}\` | ${textOf(facts.type)}${of} | ${facts.default ? textOf(facts.default) : ''} | ${textOf(facts.about)} |`;
  });
  return rows.length > 0 ? ['', '| option | type | default | about |', '| --- | --- | --- | --- |', ...rows] : [];
}

const membersOf = (type) => (type?.type === 'reflection' ? (type.declaration.children ?? []) : []);

/** A literal, or a list of literals, as text that a table can hold. */
function textOf(type) {
  if (type === undefined) return '';
  const plain =
    type.type === 'literal'
      ? String(type.value)
      : type.type === 'typeOperator'
        ? textOf(type.target)
        : type.type === 'tuple'
          ? (type.elements ?? []).map(textOf).join(', ')
          : type.type === 'reflection'
            ? membersOf(type)
                .map(({ name }) => name)
                .join(', ')
            : type.toString();
  return plain.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
