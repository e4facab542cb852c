import { sdkError } from './errors.js';
import type { CreateOptions, SocketClass } from './types.js';

/* place - what depends on where this runs: browser, mini-program or Node. */

declare const __HONGYAN_SERVER__: string | undefined;

const WEB = 6;
const MINI_PROGRAM = 8;

export function addresses({ proxyServer }: CreateOptions): string[] {
  const given = ([] as string[]).concat(proxyServer ?? []);
  const built = typeof __HONGYAN_SERVER__ === 'string' ? __HONGYAN_SERVER__ : '';
  const here =
    typeof location !== 'undefined' ? location.origin.replace(/^http/, 'ws') : 'ws://127.0.0.1:7450';

  return given.length > 0 ? given : [built || here];
}

export function socketClass({ socket, WebSocketImpl }: CreateOptions): SocketClass {
  const found = socket ?? WebSocketImpl ?? (globalThis as any).WebSocket;

  if (!found) throw sdkError('UNSUPPORTED', 'no WebSocket here; give one as option `socket`');
  return found;
}

export function platform(): number {
  const shell = globalThis as any;

  return typeof document === 'undefined' && shell.wx?.connectSocket ? MINI_PROGRAM : WEB;
}

/** One tab is one installation: a reload is the same, a second tab another. */
export function deviceID(sdkappid: number): string {
  const key = `hongyan-device-${sdkappid}`;
  const fresh = () => `w${Date.now().toString(36)}${Math.random().toString(36).slice(2, 12)}`;

  try {
    const id = sessionStorage.getItem(key) ?? fresh();

    sessionStorage.setItem(key, id);
    return id;
  } catch {
    return fresh();
  }
}
