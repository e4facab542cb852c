// Makes build/wire.js and build/wire.d.ts from proto/client.proto: the encoders and decoders of the
// client protocol, on protobufjs' small runtime, without eval and with 64-bit numbers as numbers.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const home = join(dirname(fileURLToPath(import.meta.url)), '..');

const require = createRequire(import.meta.url);
const cli = dirname(require.resolve('protobufjs-cli/package.json'));
const proto = join(home, '../../proto/client.proto');
const PLAIN = ['create', 'verify', 'convert', 'delimited', 'typeurl', 'service'].map((x) => `--no-${x}`);

function run(tool, ...args) {
  execFileSync(process.execPath, [join(cli, 'bin', tool), ...args], { stdio: 'inherit' });
}

export function makeWire() {
  const js = join(home, 'build/wire.js');
  const types = join(home, 'build/wire.d.ts');

  mkdirSync(join(home, 'build'), { recursive: true });
  run('pbjs', '-t', 'static-module', '-w', 'es6', '--force-number', ...PLAIN, '-o', js, proto);
  run('pbts', '-o', types, js);
  // The runtime is bundled and there are no Longs: the types need neither package.
  const text = readFileSync(types, 'utf8')
    .replace(/^import .*\n/gm, '')
    .replace(/\$protobuf\.Writer/g, 'Writer')
    .replace(/\$protobuf\.Reader/g, 'Uint8Array');
  writeFileSync(types, `interface Writer { finish(): Uint8Array }\n${text}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) makeWire();
