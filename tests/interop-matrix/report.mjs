// The table, for people at a terminal and for docs/compatibility.md.

const NOT_THERE = '–';

/** 'ok', 'FAILS', or a dash where the exchange has no meaning for the row. */
function cell(results) {
  if (!results || results.length === 0) return NOT_THERE;
  return results.every(({ error }) => error === undefined) ? 'ok' : 'FAILS';
}

const heads = (columns) => ['client', 'version', 'transport', ...columns.map(({ name }) => name)];
const cells = (line, columns) => [line.name, line.version ?? '?', line.transport, ...columns.map(({ name }) => cell(line.results.get(name)))];

export function plainTable({ lines, columns }) {
  const all = [heads(columns), ...lines.map((line) => cells(line, columns))];
  const widths = all[0].map((_, i) => Math.max(...all.map((row) => row[i].length)));
  return all.map((row) => row.map((text, i) => text.padEnd(widths[i])).join('  ').trimEnd()).join('\n');
}

function markdownTable({ lines, columns }) {
  const row = (texts) => `| ${texts.join(' | ')} |`;
  const head = heads(columns);
  return [row(head), row(head.map(() => '---')), ...lines.map((line) => row(cells(line, columns)))].join('\n');
}

const legend = (columns) => columns.map(({ name, says }) => `- **${name}**: ${says}`).join('\n');

export function markdownPage(sections, notes) {
  const body = sections.map((section) =>
    `## ${section.title}\n\n${section.says}\n\n${markdownTable(section)}\n\n${legend(section.columns)}\n`);
  return `# Compatibility\n\n${notes.head}\n\n${body.join('\n')}\n## Notes\n\n${notes.tail}\n`;
}
