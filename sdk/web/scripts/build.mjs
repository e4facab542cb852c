// Builds dist/ (or the folder named on the command line): one ES module, one script for browsers and
// CommonJS, and the types. dist/ is kept in the repository so that nobody needs Node to run the demo.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import * as esbuild from 'esbuild';
import { codesSource } from './codes.mjs';
import { home, makeWire } from './wire.mjs';

const require = createRequire(import.meta.url);
const out = resolve(process.argv[2] ?? join(home, 'dist'));
const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
const banner = `/*! hongyan-chat ${version} | Apache-2.0 */`;

const common = {
  absWorkingDir: home,
  bundle: true,
  minify: true,
  target: 'es2018',
  legalComments: 'none',
  charset: 'utf8',
  define: { SDK_VERSION: JSON.stringify(version) },
  // 64-bit numbers are plain numbers here; the optional Long package stays out.
  alias: { long: './src/nolong.cjs' },
  logLevel: 'warning',
};

// What a script tag and require() share: the namespace object, as TencentCloudChat and as TIM.
const UMD_HEAD = `${banner}
(function(root,make){var api=make();if(typeof module==="object"&&module.exports){module.exports=api;module.exports.default=api}
else if(typeof define==="function"&&define.amd){define([],function(){return api})}
if(typeof window!=="undefined"||typeof self!=="undefined"){root.TencentCloudChat=api;root.TIM=api}
})(typeof globalThis!=="undefined"?globalThis:this,function(){`;
const UMD_TAIL = 'return HongyanChat.default});';

async function scripts() {
  await esbuild.build({
    ...common,
    entryPoints: ['src/index.ts'],
    format: 'esm',
    banner: { js: banner },
    outfile: join(out, 'hongyan-chat.mjs'),
  });
  await esbuild.build({
    ...common,
    entryPoints: ['src/index.ts'],
    format: 'iife',
    globalName: 'HongyanChat',
    banner: { js: UMD_HEAD },
    footer: { js: UMD_TAIL },
    outfile: join(out, 'hongyan-chat.umd.js'),
  });
}

// Of all declarations, only those that the public ones reach.
function declarations() {
  const all = join(home, 'build/types');
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');
  const seen = new Set();
  const follow = (name) => {
    if (seen.has(name)) return;
    seen.add(name);
    const text = readFileSync(join(all, 'src', `${name}.d.ts`), 'utf8');
    writeFileSync(join(out, 'types', `${name}.d.ts`), text);
    for (const [, next] of text.matchAll(/from '\.\/(\w+)\.js'/g)) follow(next);
  };

  rmSync(all, { recursive: true, force: true });
  execFileSync(
    process.execPath,
    [tsc, '--declaration', '--emitDeclarationOnly', '--rootDir', home, '--outDir', all],
    { cwd: home, stdio: 'inherit' },
  );
  mkdirSync(join(out, 'types'), { recursive: true });
  follow('index');
  if (seen.has('codec')) throw new Error('the public types reach the wire');
  writeFileSync(join(out, 'types/package.json'), '{ "type": "module" }\n');
  writeFileSync(
    join(out, 'types/index.d.cts'),
    "import type { ChatNamespace } from './index.js' with { 'resolution-mode': 'import' };\n\n" +
      'declare const TencentCloudChat: ChatNamespace & { default: ChatNamespace };\n' +
      'export = TencentCloudChat;\n',
  );
}

makeWire();
writeFileSync(join(home, 'src/codes.ts'), codesSource());
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
await scripts();
declarations();
