// A client in a page: the driver calls start() once and then command(); the page says what there is to say
// through window.say, which the driver has put there.

import { cometdClient } from './cometd.mjs';
import { fayeClient } from './faye.mjs';

const say = (value) => window.say(JSON.stringify(value));
let client;

function loadScript(src) {
  return new Promise((resolve, reject) => {
    document.head.append(Object.assign(document.createElement('script'), { src, onload: resolve, onerror: reject }));
  });
}

/** `scripts` are the files of the library; a module is one file. */
window.start = async ({ scripts, isModule, ...options }) => {
  const library = isModule ? await import(scripts[0]) : undefined;
  if (!isModule) for (const script of scripts) await loadScript(script);
  client = window.Faye
    ? fayeClient({ Faye: window.Faye, say, ...options })
    : cometdClient({ library: library ?? window.org.cometd, say, ...options });
};

window.command = async (command) => {
  try {
    await client[command.do](command);
    return {};
  } catch (error) {
    return { error: error.message };
  }
};
