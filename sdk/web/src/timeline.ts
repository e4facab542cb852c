import type { Message } from './message.js';

/* timeline - the messages of one conversation in order of their sequence.
 *
 * Two edges move apart: `told` is the newest place up to which everything is known and was handed
 * out; `floor` the oldest place down to which history is here. What comes early waits. No clock, no
 * socket: the caller pulls what gap() and page() ask for. */

const KEEP = 2000;

export interface Page {
  list: Message[]; // ascending
  next: string; // ID to ask the next page with; '' at the end
  isCompleted: boolean;
}

export class Timeline {
  private early = new Map<number, Message>();
  private list: Message[] = []; // ascending, everything visible in [floor, told]
  private lowest: number;

  /** told: everything up to there is old news. A live timeline has holes that nobody can fill. */
  constructor(
    private newest: number,
    readonly live = false,
  ) {
    this.lowest = live ? 1 : newest + 1;
  }

  get told(): number {
    return this.newest;
  }

  get floor(): number {
    return this.lowest;
  }

  get complete(): boolean {
    return this.lowest <= 1;
  }

  /** A message with a place. False: it was here before. */
  offer(m: Message): boolean {
    if (m.sequence <= this.newest || this.early.has(m.sequence)) return false;
    this.early.set(m.sequence, m);
    return true;
  }

  /** What can be handed out now, in order. */
  drain(): Message[] {
    const out: Message[] = [];

    if (this.live) this.skipTo(Math.min(...this.early.keys()) - 1);
    for (let m = this.early.get(this.newest + 1); m; m = this.early.get(this.newest + 1)) {
      this.early.delete(m.sequence);
      this.newest = m.sequence;
      out.push(m);
      if (this.live) this.skipTo(Math.min(...this.early.keys()) - 1);
    }
    this.list.push(...out);
    this.trim();
    return out;
  }

  /** The first place that is missing, when something later is here; else 0. */
  gap(): number {
    return !this.live && this.early.size > 0 && !this.early.has(this.newest + 1) ? this.newest + 1 : 0;
  }

  /** The first place of what waits; 0: nothing waits. */
  earliest(): number {
    return this.early.size > 0 ? Math.min(...this.early.keys()) : 0;
  }

  /** Nothing that this user may see is left at or below seq but what was offered. Returns what can be
   * handed out. */
  cover(seq: number): Message[] {
    const out: Message[] = [];
    const before = [...this.early.keys()].filter((s) => s <= seq).sort((a, b) => a - b);

    for (const s of before) {
      out.push(this.early.get(s) as Message);
      this.early.delete(s);
    }
    this.list.push(...out);
    if (seq > this.newest) this.newest = seq;
    out.push(...this.drain());
    return out;
  }

  private skipTo(seq: number): void {
    if (Number.isFinite(seq) && seq > this.newest) this.newest = seq;
  }

  /** A page of history: everything visible in [from, floor). */
  prepend(messages: Message[], from: number): void {
    const older = messages.filter((m) => m.sequence < this.lowest && m.sequence >= from);

    this.list.unshift(...older);
    if (from < this.lowest) this.lowest = from;
  }

  /** Forget what is here, as the user cleared the conversation. */
  clear(): void {
    this.list = [];
    this.lowest = 1;
  }

  /** Up to count messages before that place; null: pull older ones first, down from floor - 1. */
  page(before: number, count: number): Page | null {
    let end = this.list.length;

    while (end > 0 && this.list[end - 1].sequence >= before) end--;
    const start = Math.max(0, end - count);

    if (end - start < count && !this.complete) return null;
    const isCompleted = start === 0 && this.complete;
    const list = this.list.slice(start, end);

    return { list, next: isCompleted || list.length === 0 ? '' : list[0].ID, isCompleted };
  }

  messages(): readonly Message[] {
    return this.list;
  }

  /** A tab that is open for weeks does not keep all of it. */
  private trim(): void {
    if (this.list.length <= KEEP) return;
    this.list.splice(0, this.list.length - KEEP / 2);
    this.lowest = this.list[0].sequence;
  }
}
