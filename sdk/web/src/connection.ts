import { backoff } from './backoff.js';
import { bytesOf, decodeFrame, encodeFrame, hy, type Body } from './codec.js';
import { CODES } from './codes.js';
import { ChatError, sdkError } from './errors.js';
import { log } from './log.js';
import { isPassing, Requests } from './requests.js';
import type { SocketClass, SocketLike } from './types.js';

/* connection - one signed-in session over whatever WebSocket can be had.
 *
 * It connects, signs in, pings, and when the link is lost connects again and resumes. What happens
 * to questions meanwhile is told in requests.ts. */

export type NetState = 'connected' | 'connecting' | 'disconnected';

export interface ConnectionOptions {
  urls: string[];
  Socket: SocketClass;
  timeoutMs: number;
}

export interface ConnectionHandler {
  onState(state: NetState): void;
  /** Signed in, the first time or again. Pushes may have been lost if it is again. */
  onSession(session: hy.ISignInRes, again: boolean): void;
  onNotice(frame: hy.Frame): void;
  /** Each answered ping; resync: pushes may have been lost. */
  onBeat(resync: boolean): void;
  /** The session is over and stays so until login. */
  onEnd(why: hy.IKickedNotice): void;
}

type Timer = ReturnType<typeof setTimeout> | undefined;
type Handshake = 'none' | 'resume' | 'sign in';

const WHY = hy.KickedNotice.Why;
/* After these the client is welcome back. */
const COME_BACK: ReadonlySet<number> = new Set<number>([WHY.UNKNOWN, WHY.SLOW, WHY.PROTOCOL, WHY.TIMEOUT]);

const HANDSHAKE_MS = 10000;
const STEADY_MS = 5000;

export class Connection {
  private socket: SocketLike | null = null;
  private handshake: Handshake = 'none';
  private handshakeTimer: Timer;
  private online = false;
  private onlineSince = 0;
  private state: NetState = 'disconnected';
  private signIn: hy.ISignInReq | null = null;
  private session: hy.ISignInRes | null = null;
  private requests = new Requests((bytes) => this.write(bytes));
  private attempt = 0;
  private urlIndex: number;
  private reconnectTimer: Timer;
  private beatTimer: Timer;
  private clockOffset = 0;
  private refusal: ChatError | null = null; // the last passing one, for who waits in open()
  private opening: { resolve(res: hy.ISignInRes): void; reject(e: ChatError): void } | null = null;

  constructor(
    private options: ConnectionOptions,
    private handler: ConnectionHandler,
  ) {
    this.urlIndex = Math.floor(Math.random() * options.urls.length);
    this.hurry = this.hurry.bind(this);
  }

  /** Connect and sign in. Rejects with the server's code, or 2800/2801 if it cannot be reached. */
  open(signIn: hy.ISignInReq): Promise<hy.ISignInRes> {
    this.signIn = signIn;
    this.refusal = null;
    watchNetwork('addEventListener', this.hurry);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.fail(this.refusal ?? sdkError(this.socket ? 'TIMEOUT' : 'NETWORK'));
      }, this.options.timeoutMs);

      this.opening = {
        resolve: (res) => (clearTimeout(timer), resolve(res)),
        reject: (error) => (clearTimeout(timer), reject(error)),
      };
      this.connect();
    });
  }

  /** Sign out and let go. Never rejects. */
  async close(): Promise<void> {
    if (this.online) await this.request({ signOut: {} }, 2000).catch(() => undefined);
    this.stop(sdkError('LOGGED_OUT'));
  }

  /** Ask; resolves to the answer, rejects with its code, or with 2801 after the time. */
  request(body: Body, timeoutMs = this.options.timeoutMs): Promise<hy.Frame> {
    if (!this.signIn) return Promise.reject(sdkError('NOT_LOGGED_IN'));
    return this.requests.ask(body, timeoutMs, this.online);
  }

  /** The server's clock, as far as is known. */
  serverTimeMs(): number {
    return Date.now() + this.clockOffset;
  }

  // ---------------------------------------------------------------- link

  private connect(): void {
    const url = this.options.urls[this.urlIndex % this.options.urls.length];

    this.setState('connecting');
    log.debug('connect', url);
    try {
      const socket = new this.options.Socket(url);

      socket.binaryType = 'arraybuffer';
      socket.onopen = () => this.greet(socket);
      socket.onmessage = (event) => this.receive(socket, event.data);
      socket.onclose = () => this.lost(socket);
      socket.onerror = () => undefined; // onclose follows
      this.socket = socket;
      this.handshakeTimer = setTimeout(() => this.lost(socket), HANDSHAKE_MS);
    } catch (err) {
      log.warn('no socket', err);
      this.later();
    }
  }

  /** The first frame on a new link. */
  private greet(socket: SocketLike): void {
    if (socket !== this.socket) return;
    const token = this.session?.resumeToken;

    if (token && token.length > 0) {
      this.handshake = 'resume';
      socket.send(encodeFrame({ id: this.requests.nextId(), resume: { resumeToken: token } }));
    } else this.sendSignIn(socket);
  }

  private sendSignIn(socket: SocketLike): void {
    this.handshake = 'sign in';
    socket.send(encodeFrame({ id: this.requests.nextId(), signIn: this.signIn }));
  }

  /** This link is of no use any more; go on with the next one unless the session is over. */
  private lost(socket: SocketLike): void {
    if (socket !== this.socket) return;
    this.drop();
    this.requests.linkLost();
    this.urlIndex++;
    this.later();
  }

  private drop(): void {
    const socket = this.socket;

    clearTimeout(this.handshakeTimer);
    clearTimeout(this.beatTimer);
    if (this.online && Date.now() - this.onlineSince > STEADY_MS) this.attempt = 0;
    this.socket = null;
    this.online = false;
    this.handshake = 'none';
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    try {
      socket.close();
    } catch (err) {
      log.debug('close', err);
    }
  }

  private later(waitMs = backoff(this.attempt++)): void {
    if (!this.signIn) return;
    this.setState('disconnected');
    clearTimeout(this.reconnectTimer);
    this.reconnectTimer = setTimeout(() => this.connect(), waitMs);
  }

  /** The device says it has a network again. */
  private hurry(): void {
    if (!this.signIn || this.socket) return;
    clearTimeout(this.reconnectTimer);
    this.connect();
  }

  private setState(state: NetState): void {
    if (state === this.state) return;
    this.state = state;
    this.handler.onState(state);
  }

  /** End everything: no link, no session, no question left. */
  private stop(error: ChatError): void {
    watchNetwork('removeEventListener', this.hurry);
    clearTimeout(this.reconnectTimer);
    this.drop();
    this.signIn = null;
    this.session = null;
    this.attempt = 0;
    this.requests.failAll(error);
    this.setState('disconnected');
  }

  private fail(error: ChatError): void {
    const opening = this.opening;

    this.opening = null;
    this.stop(error);
    opening?.reject(error);
  }

  private end(why: hy.IKickedNotice): void {
    if (this.opening) {
      this.fail(new ChatError(why.code || CODES.SESSION_OVER, why.info || 'the session is over'));
      return;
    }
    this.stop(new ChatError(why.code || CODES.SESSION_OVER, why.info || 'the session is over'));
    this.handler.onEnd(why);
  }

  // ---------------------------------------------------------------- frames

  private receive(socket: SocketLike, data: unknown): void {
    if (socket !== this.socket) return;
    const bytes = bytesOf(data);
    let frame: hy.Frame;

    try {
      if (!bytes) throw new Error('a text message');
      frame = decodeFrame(bytes);
    } catch (err) {
      log.error('bytes that are no frame', err);
      this.lost(socket);
      return;
    }
    if (frame.kicked) this.kicked(socket, frame.kicked);
    else if (frame.goAway) this.goAway(frame.goAway.retryAfterMs ?? 0);
    else if (this.handshake !== 'none') this.greeted(socket, frame);
    else if (frame.id === 0) this.handler.onNotice(frame);
    else this.requests.answered(frame);
  }

  /** The answer to sign-in or resume. */
  private greeted(socket: SocketLike, frame: hy.Frame): void {
    if (frame.code === 0 && frame.signInRes) {
      this.begin(frame.signInRes);
      return;
    }
    if (this.handshake === 'resume') {
      this.session = null;
      this.sendSignIn(socket);
    } else if (isPassing(frame.code)) {
      this.refusal = new ChatError(frame.code, frame.info);
      this.lost(socket);
    } else this.refused(frame);
  }

  private refused(frame: hy.Frame): void {
    const expired: number[] = [CODES.SIG_EXPIRED, CODES.SIG_EXPIRED_ONLINE];

    this.end({
      why: expired.includes(frame.code) ? WHY.SIG_EXPIRED : WHY.UNKNOWN,
      code: frame.code,
      info: frame.info,
    });
  }

  private begin(res: hy.ISignInRes): void {
    const again = !this.opening;

    clearTimeout(this.handshakeTimer);
    this.handshake = 'none';
    this.session = res;
    this.online = true;
    this.onlineSince = Date.now();
    this.clockOffset = (res.serverTimeMs || Date.now()) - Date.now();
    this.requests.writeAll();
    this.beatLater();
    this.setState('connected');
    this.opening?.resolve(res);
    this.opening = null;
    this.handler.onSession(res, again);
  }

  private kicked(socket: SocketLike, why: hy.IKickedNotice): void {
    log.info('kicked', why.why, why.code, why.info);
    if (!COME_BACK.has(why.why ?? 0)) this.end(why);
    else this.lost(socket);
  }

  /** The gateway is leaving. It says when to come back, to spread its clients. */
  private goAway(retryAfterMs: number): void {
    this.drop();
    this.urlIndex++;
    this.later(retryAfterMs + Math.random() * 100);
  }

  private write(bytes: Uint8Array): void {
    if (!this.online) return;
    try {
      this.socket?.send(bytes);
    } catch (err) {
      log.warn('write', err); // the link is closing: it is written again on the next
    }
  }

  // ---------------------------------------------------------------- heartbeat

  private beatLater(): void {
    clearTimeout(this.beatTimer);
    this.beatTimer = setTimeout(() => this.beat(), this.session?.heartbeatMs || 30000);
  }

  private async beat(): Promise<void> {
    const socket = this.socket;
    const patience = Math.min(this.session?.heartbeatMs || 30000, 10000);

    if (!socket || !this.online) return;
    this.beatLater();
    try {
      const { pong } = await this.request({ ping: {} }, patience);

      if (pong?.serverTimeMs) this.clockOffset = pong.serverTimeMs - Date.now();
      this.handler.onBeat(pong?.resync === true);
    } catch {
      this.lost(socket); // a link that does not answer, if it is still the one
    }
  }
}

function watchNetwork(verb: 'addEventListener' | 'removeEventListener', fn: () => void): void {
  if (typeof window !== 'undefined' && typeof window[verb] === 'function') window[verb]('online', fn);
}
