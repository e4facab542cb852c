import type { Body, hy } from './codec.js';

/* session - what the parts of a client share: who is signed in, how to ask, where to tell. */
export interface Session {
  /** '' when nobody is signed in. */
  me: string;
  ask(body: Body, timeoutMs?: number): Promise<hy.Frame>;
  emit(name: string, data?: unknown): void;
  nowMs(): number;
}

/** Run at most once in a microtask, however often it is called. */
export function coalesce(fn: () => void): () => void {
  let due = false;

  return () => {
    if (due) return;
    due = true;
    Promise.resolve().then(() => {
      due = false;
      fn();
    });
  };
}
