// Makes src/codes.ts from the table in common/codes.h.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const home = join(dirname(fileURLToPath(import.meta.url)), '..');
const ROW = /X\((\w+),\s*(\d+),\s*"((?:[^"\\]|\\.)*)"\)/g;

export function codesSource() {
  const header = readFileSync(join(home, '../../common/codes.h'), 'utf8');
  const rows = [...header.matchAll(ROW)].filter(([, name]) => name !== 'OK');
  const line = ([, name, code, text]) => `  /** ${text} */\n  ${name}: ${code},\n`;

  return (
    '// Made from common/codes.h by scripts/codes.mjs. Do not edit.\n\n' +
    '/** What the server may answer. The sentence comes with the answer. */\n' +
    `export const CODES = {\n${rows.map(line).join('')}} as const;\n`
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(join(home, 'src/codes.ts'), codesSource());
