import { backoff } from './backoff.js';
import { hy } from './codec.js';
import { CODES } from './codes.js';
import { GROUP, TYPES } from './constants.js';
import type { Conversations } from './conversations.js';
import { ChatError, sdkError } from './errors.js';
import { EVENT } from './events.js';
import type { Groups } from './groups.js';
import { isLive } from './groups.js';
import { log } from './log.js';
import { fillMessage, Message, messageID, splitConversationID } from './message.js';
import { markPeerRead, Reads } from './reads.js';
import type { Session } from './session.js';
import { Timeline, type Page } from './timeline.js';

/* messages - receiving and history.
 *
 * Every message is one object, found by ID. What arrives goes through the conversation's timeline,
 * which hands it out once and in order; what is missing in between is pulled from the server. */

const PAGE = 20; // the server's most
const REORDER_MS = 30; // pushes that overtake each other are not worth a pull
const FAR = 2000; // so much behind, the older part is left to history

/* There is nothing for us in this conversation (any more). */
const FINAL: ReadonlySet<number> = new Set<number>([
  CODES.GROUP_UNKNOWN,
  CODES.GROUP_DENIED,
  CODES.GROUP_NO_HISTORY,
  CODES.C2C_ACCOUNT,
]);

export interface Hop {
  list: Message[];
  complete: boolean;
}

/* A timeline on its way: what came meanwhile, and when it is there. */
interface Opening {
  waiting: Message[];
  done: Promise<void>;
}

export class Messages {
  private byID = new Map<string, Message>();
  private own = new WeakSet<Message>(); // made here: sending them is no news
  private lines = new Map<string, Timeline>();
  private opening = new Map<string, Opening>();
  private wanted = new Map<string, number>(); // newest place the server told of
  private filling = new Map<string, Promise<void>>();
  readonly reads: Reads;
  private toldTo = new Map<string, number>(); // of timelines that are gone
  private syncedMs = 0;

  constructor(
    private session: Session,
    private conversations: Conversations,
    private groups: Groups,
  ) {
    this.reads = new Reads(session, conversations, (id) => this.lines.get(id));
  }

  clear(): void {
    this.byID.clear();
    this.lines.clear();
    this.opening.clear();
    this.wanted.clear();
    this.toldTo.clear();
    this.syncedMs = 0;
  }

  find(id: string): Message | null {
    return this.byID.get(id) ?? null;
  }

  /** A message made by a create method. */
  adoptDraft(m: Message): Message {
    this.byID.set(m.ID, m);
    this.own.add(m);
    return m;
  }

  /** The one object of a message of the wire, brought up to date. */
  know(wire: hy.IMsg): Message {
    const id = messageID(wire, this.session.me);
    const m = fillMessage(this.byID.get(id) ?? new Message(), wire, this.session.me);
    const { readSeq, peerReadSeq } = this.conversations.marks(m.conversationID);

    this.byID.set(id, m);
    if (m.flow === 'in') m.isRead = m.isRead || m.sequence <= readSeq;
    else if (m.conversationType === TYPES.CONV_C2C) markPeerRead(m, peerReadSeq);
    return m;
  }

  // ---------------------------------------------------------------- synchronising

  /** The conversation list came: what each timeline lacks is now known. */
  sync(convs: hy.IConv[], askedMs: number): void {
    const ids = new Set<string>();

    for (const conv of convs) {
      const id = (conv.type === GROUP ? TYPES.CONV_GROUP : TYPES.CONV_C2C) + conv.peer;

      ids.add(id);
      this.syncOne(id, conv);
    }
    for (const id of this.conversations.keep(ids, askedMs)) this.forget(id);
    this.syncedMs = askedMs;
  }

  private syncOne(id: string, conv: hy.IConv): void {
    const lastSeq = conv.lastSeq ?? 0;
    const last = conv.lastMsg ? this.know(conv.lastMsg) : null;
    const line = this.lines.get(id);

    if (line) {
      const since = line.messages().filter((m) => m.sequence > lastSeq);

      this.conversations.adopt(conv, last, since);
      if (this.reads.byPeer(id, conv.peerReadSeq ?? 0)) this.conversations.changed();
      this.want(id, lastSeq);
      return;
    }
    this.conversations.adopt(conv, last);
    // At the first sync all that is there is old news; later a new conversation may hold more.
    if (this.syncedMs > 0 && (conv.lastTimeMs ?? 0) > this.syncedMs) void this.open(id, lastSeq);
    else this.lines.set(id, new Timeline(lastSeq, isLive(conv.groupType ?? '')));
  }

  private want(id: string, seq: number): void {
    const line = this.lines.get(id);

    if (!line || line.live) return;
    if (seq - line.told > FAR) {
      log.info(`${id} is ${seq - line.told} behind`);
      this.lines.set(id, new Timeline(seq - FAR / 2));
    }
    this.wanted.set(id, Math.max(seq, this.wanted.get(id) ?? 0));
    this.fillSoon(id, 0);
  }

  // ---------------------------------------------------------------- receiving

  /** A message that was sent from here has its place. */
  placed(m: Message): void {
    if (m.sequence > 0 && this.place(m)) this.pump(m.conversationID);
  }

  /** What is no message of the wire, to be found and told. */
  add(m: Message): void {
    this.byID.set(m.ID, m);
    this.conversations.note(m);
    this.session.emit(EVENT.MESSAGE_RECEIVED, [m]);
  }

  receive(msgs: hy.IMsg[]): void {
    const touched = new Set<string>();

    for (const wire of msgs) {
      const before = this.byID.get(messageID(wire, this.session.me));
      const wasRevoked = before?.isRevoked;
      const m = this.know(wire);

      if (before && m.isRevoked && !wasRevoked) this.revoked(m);
      if (m.sequence === 0) this.passing(m);
      else if (this.place(m)) touched.add(m.conversationID);
    }
    for (const id of touched) this.pump(id);
  }

  private revoked(m: Message): void {
    this.conversations.note(m);
    this.session.emit(EVENT.MESSAGE_REVOKED, [m]);
  }

  /** An online-only message has no place: it is told and not kept in order. */
  private passing(m: Message): void {
    if (!this.own.has(m)) this.session.emit(EVENT.MESSAGE_RECEIVED, [m]);
  }

  /** Into its timeline; false: it was there, or the timeline is still being opened. */
  private place(m: Message): boolean {
    const id = m.conversationID;
    const line = this.lines.get(id);

    if (line) return line.offer(m);
    void this.open(id, m.sequence - 1, m);
    return false;
  }

  /** A conversation that was in no list: learn about it, then hand out what came. base: the newest
   * place that may be old news. */
  private open(id: string, base: number, first?: Message): Promise<void> {
    const opening = this.opening.get(id) ?? { waiting: [], done: Promise.resolve() };

    if (first) opening.waiting.push(first);
    if (!this.opening.has(id)) {
      this.opening.set(id, opening);
      opening.done = this.openLine(id, base, opening);
    }
    return opening.done;
  }

  private async openLine(id: string, base: number, opening: Opening): Promise<void> {
    const peer = splitConversationID(id)?.peer ?? '';
    let told = base;

    try {
      if (!this.conversations.find(id)) await this.meet(id);
      if (base > 0 && !this.groups.isLive(peer)) told = await this.missedBefore(id, base);
    } catch (err) {
      log.debug('open', id, err);
    }
    if (this.opening.get(id) !== opening) return; // signed out meanwhile
    this.opening.delete(id);
    if (!this.lines.has(id)) this.lines.set(id, new Timeline(told, this.groups.isLive(peer)));
    for (const m of opening.waiting) this.lines.get(id)?.offer(m);
    this.pump(id);
    this.want(id, base);
  }

  /** Ask for one conversation and put it into the list. */
  async meet(id: string): Promise<hy.IConv | undefined> {
    const name = splitConversationID(id);

    if (!name) throw sdkError('BAD_CONVERSATION_ID');
    const { convListRes } = await this.session.ask({ convGet: { type: name.wire, peer: name.peer } });
    const conv = convListRes?.convs?.[0];

    // A stranger is no entry of the list, a group one is in is.
    if (conv && (conv.lastSeq || conv.self?.role))
      this.conversations.adopt(conv, conv.lastMsg ? this.know(conv.lastMsg) : null);
    return conv;
  }

  /** The place before the first message that came after the last sync, and after the user, and was
   * not told. */
  private async missedBefore(id: string, base: number): Promise<number> {
    const joinedS = this.groups.find(splitConversationID(id)?.peer ?? '')?.selfInfo.joinTime ?? 0;
    const since = id.startsWith(TYPES.CONV_GROUP) ? joinedS * 1000 : 0;

    if (this.syncedMs === 0) return base;
    const page = await this.pull(id, { newer: true, timeMs: Math.max(this.syncedMs, since), count: 1 });
    const first = page.msgs?.[0]?.seq ?? base + 1;

    return Math.max(Math.min(base, first - 1), this.toldTo.get(id) ?? 0);
  }

  private pump(id: string): void {
    const line = this.lines.get(id);

    if (!line) return;
    this.deliver(line.drain());
    if (line.gap() > 0) this.fillSoon(id, REORDER_MS);
  }

  private deliver(list: Message[]): void {
    const news = list.filter((m) => !this.own.has(m) && !m.isRevoked && !m.isDeleted);

    for (const m of list) {
      if (!m.isDeleted) this.conversations.note(m);
      if (m.type === TYPES.MSG_GRP_TIP) this.groups.onTip(m.to, m.payload);
    }
    if (news.length > 0) this.session.emit(EVENT.MESSAGE_RECEIVED, news);
  }

  private fillSoon(id: string, waitMs: number): void {
    if (this.filling.has(id) || !this.lacks(id)) return;
    const done = new Promise<void>((resolve) => setTimeout(resolve, waitMs)).then(() => this.fill(id));

    this.filling.set(id, done);
  }

  private lacks(id: string): boolean {
    const line = this.lines.get(id);

    return line !== undefined && (line.gap() > 0 || line.told < (this.wanted.get(id) ?? 0));
  }

  /** Pull what is missing, page by page, until nothing is. */
  private async fill(id: string): Promise<void> {
    const me = this.session.me;
    let again = -1;

    try {
      while (this.session.me === me && this.lacks(id)) await this.fillPage(id);
    } catch (err) {
      again = this.fillFailed(id, err as ChatError);
    }
    this.filling.delete(id);
    if (again >= 0 && this.session.me === me) this.fillSoon(id, again);
  }

  private async fillPage(id: string): Promise<void> {
    const line = this.lines.get(id) as Timeline;
    const from = line.told + 1;
    const known = this.nextKnown(line, id); // before the page: what came since need not be on it
    const page = await this.pull(id, { newer: true, fromSeq: from, count: PAGE });
    const msgs = page.msgs ?? [];

    for (const wire of msgs) line.offer(this.know(wire));
    const seen = msgs.length > 0 ? (msgs[msgs.length - 1].seq ?? 0) : 0;
    // Nothing is left up to where the next page begins, and at the end of the log up to its last place.
    const top = Math.max(seen, page.complete ? (page.lastSeq ?? 0) : (page.nextSeq ?? 0) - 1);

    this.deliver(line.cover(top >= from ? top : known));
  }

  /** Should the server have nothing from there on: up to where what is here, or was told of, is next. */
  private nextKnown(line: Timeline, id: string): number {
    return line.earliest() > 0 ? line.earliest() - 1 : (this.wanted.get(id) ?? 0);
  }

  /** When to try again; -1: never, as the server will not give these messages. What is passed over is never
   * told, so only a word about this conversation counts: whatever else is wrong may pass. */
  private fillFailed(id: string, err: ChatError): number {
    log.warn(`history of ${id}`, err);
    if (!(err instanceof ChatError) || !FINAL.has(err.code)) return backoff(3) + 200;
    const line = this.lines.get(id);

    if (line) this.deliver(line.cover(Math.max(line.earliest() - 1, this.wanted.get(id) ?? 0)));
    return -1;
  }

  private async pull(id: string, ask: hy.IHistoryReq): Promise<hy.IHistoryRes> {
    const name = splitConversationID(id);

    if (!name) throw sdkError('BAD_CONVERSATION_ID');
    const { historyRes } = await this.session.ask({
      history: { ...ask, convType: name.wire, peer: name.peer },
    });

    if (!historyRes) throw sdkError('UNCAUGHT', 'no history in the answer');
    return historyRes;
  }

  // ---------------------------------------------------------------- history

  /** A page of history, newest first asked, ascending inside. */
  async page(id: string, beforeID: string, count: number): Promise<Page> {
    if (!this.lines.has(id)) await this.lookInto(id);
    await this.filling.get(id); // what is told meanwhile is on no page else
    const line = this.lines.get(id) ?? new Timeline(0, true);
    const before = beforeID === '' ? Infinity : this.find(beforeID)?.sequence;

    if (!before) return { list: [], next: '', isCompleted: true };
    for (;;) {
      const page = line.page(before, count);

      if (page) return page;
      const from = line.floor - 1;
      const { msgs, complete, nextSeq } = await this.pull(id, { fromSeq: from, count: PAGE });
      const older = (msgs ?? []).map((wire) => this.know(wire));

      // A server of an earlier version does not say where the next page begins: below this one.
      line.prepend(older, complete ? 1 : nextSeq ? nextSeq + 1 : (older[0]?.sequence ?? 1));
    }
  }

  /** A timeline for a conversation that was in no list; it may be with someone new. */
  private async lookInto(id: string): Promise<void> {
    const { peer } = splitConversationID(id) ?? {};

    if (this.groups.isLive(peer ?? '')) return; // until something is said
    const { lastSeq } = await this.pull(id, { count: 1 });

    if (!this.lines.has(id)) await this.open(id, lastSeq ?? 0);
  }

  /** A page around a place that need not be next to what is here. */
  async hop(
    id: string,
    at: { sequence?: number; time?: number },
    newer: boolean,
    count: number,
  ): Promise<Hop> {
    let ask: hy.IHistoryReq = at.sequence
      ? { fromSeq: at.sequence }
      : { timeMs: at.time ? at.time * 1000 + (newer ? 0 : 999) : 0 };

    for (;;) {
      const { msgs, complete, nextSeq } = await this.pull(id, { ...ask, newer, count });
      const list = (msgs ?? []).map((wire) => this.know(wire));

      if (complete || list.length > 0 || !nextSeq) return { list, complete: complete ?? false };
      ask = { fromSeq: nextSeq }; // past what is not ours to see
    }
  }

  forget(id: string): void {
    this.toldTo.set(id, this.lines.get(id)?.told ?? 0);
    this.lines.delete(id);
  }

  clearHistory(id: string): void {
    this.lines.get(id)?.clear();
  }
}
