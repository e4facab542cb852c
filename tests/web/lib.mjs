// What the tests of the web SDK share: the built package, clients, and waiting for a condition.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

export const sdkHome = join(here, '../../sdk/web');
const require = createRequire(join(sdkHome, 'package.json'));

export const WebSocket = require('ws');
export const { default: Chat } = await import('../../sdk/web/dist/hongyan-chat.mjs');
export const { EVENT, TYPES } = Chat;

let instances = 0;

/** A client that records its events. */
export function client(url, options = {}) {
  const chat = Chat.create({
    SDKAppID: 1400000001,
    proxyServer: url,
    socket: WebSocket,
    instance: `test-${++instances}`,
    timeoutMs: 3000,
    ...options,
  });

  chat.setLogLevel(4);
  chat.events = [];
  for (const name of Object.values(EVENT)) chat.on(name, (event) => chat.events.push(event));
  chat.told = (name) => chat.events.filter((e) => e.name === name);
  chat.received = () => chat.told(EVENT.MESSAGE_RECEIVED).flatMap((e) => e.data);
  chat.texts = () => chat.received().map((m) => m.payload.text);
  return chat;
}

/** A client that is ready. */
export async function signedIn(url, userID, options) {
  const chat = client(url, options);

  await chat.login({ userID, userSig: options?.userSig ?? 'sig' });
  await until(() => chat.isReady());
  return chat;
}

/** Wait for a condition, not for a time. */
export async function until(condition, what = condition.toString(), mostMs = 10000) {
  const end = Date.now() + mostMs;

  for (;;) {
    const value = await condition();

    if (value) return value;
    if (Date.now() > end) throw new Error(`still not: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export function textMessage(chat, to, value, conversationType = TYPES.CONV_C2C) {
  return chat.createTextMessage({ to, conversationType, payload: { text: value } });
}

export async function say(chat, to, value, conversationType = TYPES.CONV_C2C) {
  const message = textMessage(chat, to, value, conversationType);

  return (await chat.sendMessage(message)).data.message;
}

/** What a promise rejects with. */
export async function rejection(promise) {
  try {
    await promise;
  } catch (err) {
    return err;
  }
  throw new Error('it did not reject');
}
