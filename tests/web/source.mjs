// Loads one source file of the SDK, for tests of what the package does not show.
import { mkdtempSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { sdkHome } from './lib.mjs';

const require = createRequire(join(sdkHome, 'package.json'));
const esbuild = require('esbuild');

export async function source(name) {
  const outfile = join(mkdtempSync(join(tmpdir(), 'hongyan-web-')), `${name}.mjs`);

  await esbuild.build({
    absWorkingDir: sdkHome,
    entryPoints: [`src/${name}.ts`],
    bundle: true,
    format: 'esm',
    alias: { long: './src/nolong.cjs' },
    outfile,
    logLevel: 'error',
  });
  return import(pathToFileURL(outfile));
}
