// A client of npm in a process of its own: node node.mjs '{"library":"faye-1.4","url":…,"transport":…}'.
// Commands come in on standard input, one JSON value a line; what there is to say goes out likewise. It
// ends with its input, and after LIFE_MS at the latest.

import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

import { cometdClient } from './cometd.mjs';
import { fayeClient } from './faye.mjs';

const LIFE_MS = 150_000;

const require = createRequire(import.meta.url);
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
console.log = console.debug = console.info = console.error;  // standard output is for the driver alone

function start({ library, url, transport, ack = false }) {
  const { version } = require(`${library}/package.json`);
  say({ version });
  if (library.startsWith('faye')) {
    return fayeClient({ Faye: require(library), url, disabled: transport === 'websocket' ? [] : ['websocket'], say });
  }
  return startCometd({ library, version, url, transport, ack });
}

async function startCometd({ library, version, ...options }) {
  const isModule = Number.parseInt(version, 10) >= 8;
  const { adapt } = await import(isModule ? 'cometd-nodejs-client-2' : 'cometd-nodejs-client-1');
  adapt();
  const loaded = isModule
    ? await import(library)
    : { ...require(library), AckExtension: require(`${library}/AckExtension`) };
  return cometdClient({ library: loaded, say, ...options });
}

setTimeout(() => process.exit(1), LIFE_MS);
// A client without a server may throw where nobody can catch; the driver sees what it did not do.
process.on('unhandledRejection', (error) => console.error(error));
const client = await start(JSON.parse(process.argv[2]));
const lines = createInterface({ input: process.stdin });
lines.on('close', () => process.exit(0));
lines.on('line', async (line) => {
  const { id, ...command } = JSON.parse(line);
  try {
    await client[command.do](command);
    say({ id });
  } catch (error) {
    say({ id, error: error.message });
  }
});
