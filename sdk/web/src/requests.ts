import { backoff } from './backoff.js';
import { encodeFrame, hy, type Body, type Kind } from './codec.js';
import { CODES } from './codes.js';
import { ChatError, sdkError } from './errors.js';

/* requests - questions that wait for their answers.
 *
 * One asked while there is no link waits for the next; one that was written and not answered when the
 * link was lost is written again, which the server tolerates (a message has its client_id). Only the
 * kinds in ONCE are not: they fail. */

interface Pending {
  bytes: Uint8Array;
  kind: Kind;
  deadline: number;
  timer: Timer;
  retry: Timer;
  tries: number;
  written: boolean;
  resolve(frame: hy.Frame): void;
  reject(error: ChatError): void;
}

type Timer = ReturnType<typeof setTimeout> | undefined;

/* Doing these twice is not doing them once. */
const ONCE: ReadonlySet<Kind> = new Set<Kind>([
  'groupCreate',
  'groupQuit',
  'groupDestroy',
  'groupOwner',
  'membersRemove',
]);

const PASSING: ReadonlySet<number> = new Set<number>([
  CODES.TIMEOUT,
  CODES.BUSY,
  CODES.UNAVAILABLE,
  CODES.C2C_NETWORK,
  CODES.TOO_MANY_LINKS,
  CODES.CONNECT_RATE,
  CODES.LOGIN_TIMEOUT,
  CODES.ACCOUNT_INTERNAL,
]);

/** The cluster is busy or mending itself: the same question may be answered a moment later. */
export function isPassing(code: number): boolean {
  return PASSING.has(code);
}

export class Requests {
  private pending = new Map<number, Pending>(); // in the order asked
  private lastId = 0;

  /** write: put bytes on the link if there is one. */
  constructor(private write: (bytes: Uint8Array) => void) {}

  nextId(): number {
    return ++this.lastId;
  }

  ask(body: Body, timeoutMs: number, now: boolean): Promise<hy.Frame> {
    return new Promise((resolve, reject) => {
      const id = this.nextId();
      const ask: Pending = {
        bytes: encodeFrame({ ...body, id }),
        kind: Object.keys(body)[0] as Kind,
        deadline: Date.now() + timeoutMs,
        timer: setTimeout(() => this.settle(id, sdkError('TIMEOUT')), timeoutMs),
        retry: undefined,
        tries: 0,
        written: false,
        resolve,
        reject,
      };

      this.pending.set(id, ask);
      if (now) this.put(ask);
    });
  }

  private put(ask: Pending): void {
    ask.written = true;
    this.write(ask.bytes);
  }

  /** There is a link again. */
  writeAll(): void {
    for (const ask of this.pending.values()) this.put(ask);
  }

  linkLost(): void {
    for (const [id, ask] of this.pending)
      if (ask.written && ONCE.has(ask.kind)) this.settle(id, sdkError('NETWORK'));
  }

  failAll(error: ChatError): void {
    for (const id of [...this.pending.keys()]) this.settle(id, error);
  }

  answered(frame: hy.Frame): void {
    const ask = this.pending.get(frame.id);

    if (!ask) return;
    if (isPassing(frame.code) && !ONCE.has(ask.kind)) this.retryLater(ask);
    else if (frame.code !== 0) this.settle(frame.id, new ChatError(frame.code, frame.info));
    else this.settle(frame.id, frame);
  }

  private retryLater(ask: Pending): void {
    const waitMs = backoff(ask.tries++);

    if (Date.now() + waitMs >= ask.deadline) return; // the timer ends it
    ask.retry = setTimeout(() => this.put(ask), waitMs);
  }

  private settle(id: number, outcome: hy.Frame | ChatError): void {
    const ask = this.pending.get(id);

    if (!ask) return;
    this.pending.delete(id);
    clearTimeout(ask.timer);
    clearTimeout(ask.retry);
    if (outcome instanceof ChatError) ask.reject(outcome);
    else ask.resolve(outcome);
  }
}
