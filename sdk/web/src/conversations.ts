import { hy } from './codec.js';
import { FLAG, GROUP, REMINDS, TYPES } from './constants.js';
import { EVENT } from './events.js';
import type { Groups } from './groups.js';
import { splitConversationID, type Message } from './message.js';
import { preview } from './preview.js';
import type { Profiles } from './profiles.js';
import { markPeerRead } from './reads.js';
import { coalesce, type Session } from './session.js';
import type { Conversation, LastMessage } from './types.js';

/* conversations - the list: order, last message, unread count. Its objects are live. */

/* What an app does not see of a conversation. */
interface Entry {
  view: Conversation;
  lastMs: number; // of the last message, for the order
  countedTo: number; // messages up to here are in unreadCount already
  readSeq: number;
  peerReadSeq: number;
}

const NO_UNREAD: string[] = [TYPES.GRP_CHATROOM, TYPES.GRP_AVCHATROOM, 'BChatRoom'];

export const emptyLast = (): LastMessage => ({
  lastTime: 0,
  lastSequence: 0,
  fromAccount: '',
  type: '',
  payload: {},
  messageForShow: '',
  isRevoked: false,
  isPeerRead: false,
  onlineOnlyFlag: false,
  nick: '',
  nameCard: '',
  cloudCustomData: '',
  version: 0,
  revoker: '',
});

export function lastOf(m: Message): LastMessage {
  return {
    ...emptyLast(),
    lastTime: m.time,
    lastSequence: m.sequence,
    fromAccount: m.from,
    type: m.type,
    payload: m.payload,
    messageForShow: m.isRevoked ? '' : preview(m.type, m.payload),
    isRevoked: m.isRevoked,
    isPeerRead: m.isPeerRead,
    onlineOnlyFlag: (m._flags & FLAG.ONLINE_ONLY) !== 0,
    nick: m.nick,
    nameCard: m.nameCard,
    cloudCustomData: m.cloudCustomData,
    revoker: m.revoker,
  };
}

function newEntry(view: Conversation): Entry {
  return { view, lastMs: 0, countedTo: 0, readSeq: 0, peerReadSeq: 0 };
}

export class Conversations {
  private entries = new Map<string, Entry>();
  private strangers = new Map<string, Conversation>(); // shown to the app, in no list yet
  private told = -1; // the total unread count of the last event
  readonly changed = coalesce(() => this.tell());

  constructor(
    private session: Session,
    private profiles: Profiles,
    private groups: Groups,
  ) {}

  clear(): void {
    this.entries.clear();
    this.strangers.clear();
    this.told = -1;
  }

  /** Pinned first, then newest. */
  list(): Conversation[] {
    const pinned = (e: Entry) => Number(e.view.isPinned);
    const order = (a: Entry, b: Entry) => pinned(b) - pinned(a) || b.lastMs - a.lastMs;

    return [...this.entries.values()].sort(order).map((e) => e.view);
  }

  find(id: string): Conversation | undefined {
    return this.entries.get(id)?.view;
  }

  /** Muted conversations are left out. */
  totalUnread(): number {
    const loud = this.list().filter((c) => c.messageRemindType === REMINDS[0]);

    return loud.reduce((sum, c) => sum + c.unreadCount, 0);
  }

  tell(): void {
    const total = this.totalUnread();

    if (!this.session.me) return;
    this.session.emit(EVENT.CONVERSATION_LIST_UPDATED, this.list());
    if (total === this.told) return;
    this.told = total;
    this.session.emit(EVENT.TOTAL_UNREAD_MESSAGE_COUNT_UPDATED, total);
  }

  marks(id: string): { readSeq: number; peerReadSeq: number } {
    return this.entries.get(id) ?? { readSeq: 0, peerReadSeq: 0 };
  }

  /** The entry of a conversation that may be new. */
  private entry(id: string): Entry {
    let e = this.entries.get(id);

    if (!e) {
      this.entries.set(id, (e = newEntry(this.blank(id))));
      this.strangers.delete(id);
    }
    return e;
  }

  /** A conversation object that is in no list. With its first message the same object gets there. */
  blank(id: string): Conversation {
    const known = this.strangers.get(id);

    if (known) return known;
    const view = this.makeView(id);

    this.strangers.set(id, view);
    return view;
  }

  private makeView(id: string): Conversation {
    const name = splitConversationID(id);
    const view: Conversation = {
      conversationID: id,
      type: name?.type ?? TYPES.CONV_SYSTEM,
      unreadCount: 0,
      lastMessage: emptyLast(),
      groupAtInfoList: [],
      remark: '',
      isPinned: false,
      messageRemindType: REMINDS[0],
      peerReadTime: 0,
      markList: [],
      customData: '',
      conversationGroupList: [],
      draftText: '',
    };

    if (name?.type === TYPES.CONV_C2C) view.userProfile = this.profiles.of(name.peer);
    if (name?.type === TYPES.CONV_GROUP) view.groupProfile = this.groups.placeholder(name.peer);
    return view;
  }

  /** What the server says of a conversation. `since`: messages after its last, counted here. */
  adopt(conv: hy.IConv, last: Message | null, since: Message[] = []): Conversation {
    const id = (conv.type === GROUP ? TYPES.CONV_GROUP : TYPES.CONV_C2C) + conv.peer;
    const e = this.entry(id);

    this.adoptPeer(e.view, conv);
    e.lastMs = Math.max(e.lastMs, conv.lastTimeMs ?? 0);
    e.countedTo = conv.lastSeq ?? 0;
    e.readSeq = Math.max(e.readSeq, conv.readSeq ?? 0);
    e.peerReadSeq = Math.max(e.peerReadSeq, conv.peerReadSeq ?? 0);
    e.view.unreadCount = this.hasUnread(e.view) ? (conv.unread ?? 0) : 0;
    e.view.isPinned = conv.pinned ?? false;
    e.view.messageRemindType = REMINDS[conv.remind ?? 0] ?? REMINDS[0];
    if (last?.flow === 'out' && conv.type !== GROUP) markPeerRead(last, e.peerReadSeq);
    if (last) e.view.lastMessage = lastOf(last);
    else if (since.length === 0)
      e.view.lastMessage = { ...emptyLast(), lastTime: Math.floor((conv.lastTimeMs ?? 0) / 1000) };
    for (const m of since) this.note(m);
    this.changed();
    return e.view;
  }

  private adoptPeer(view: Conversation, conv: hy.IConv): void {
    const peer = conv.peer ?? '';

    if (conv.type !== GROUP) view.userProfile = this.profiles.hint(peer, conv.name, conv.face);
    else if (conv.group?.group) view.groupProfile = this.groups.adopt(conv.group, conv.self);
    else view.groupProfile = this.groups.placeholder(peer, conv.name ?? '', conv.groupType ?? '');
  }

  /** Only these are left, what the server does not list, and what is newer than the list. Returns
   * what went. */
  keep(ids: Set<string>, askedMs: number): string[] {
    const gone: string[] = [];

    for (const [id, { view, lastMs }] of this.entries) {
      const newer = lastMs >= askedMs;

      if (ids.has(id) || newer || id === TYPES.CONV_SYSTEM || this.isLive(view)) continue;
      this.entries.delete(id);
      gone.push(id);
    }
    this.changed();
    return gone;
  }

  remove(id: string): void {
    const view = this.find(id);

    if (!view) return;
    this.entries.delete(id);
    this.strangers.set(id, view); // an app may have it open
    view.unreadCount = 0;
    this.changed();
  }

  /** A message has its place now: it is the last, and may be unread. */
  note(m: Message): void {
    const e = this.entry(m.conversationID);
    const view = e.view;
    const counts = m.flow === 'in' && (m._flags & (FLAG.NO_UNREAD | FLAG.RECALLED | FLAG.DELETED)) === 0;
    const fresh = m.sequence > e.countedTo;

    if ((m._flags & FLAG.NO_LAST) === 0 && m.sequence >= view.lastMessage.lastSequence) {
      view.lastMessage = lastOf(m);
      e.lastMs = m._timeMs;
    }
    if (view.userProfile && m.flow === 'in') this.profiles.hint(m.from, m.nick, m.avatar);
    if (fresh) e.countedTo = m.sequence;
    if (counts && m.sequence > e.readSeq && this.hasUnread(view)) {
      if (fresh) view.unreadCount++;
      this.noteAt(view, m);
    }
    this.changed();
  }

  private noteAt(view: Conversation, m: Message): void {
    const all = m.atUserList.includes(TYPES.MSG_AT_ALL);
    const me = m.atUserList.includes(this.session.me);

    if ((!all && !me) || view.groupAtInfoList.some((at) => at.messageSequence === m.sequence)) return;
    const kind = all && me ? TYPES.CONV_AT_ALL_AT_ME : all ? TYPES.CONV_AT_ALL : TYPES.CONV_AT_ME;

    view.groupAtInfoList = [
      ...view.groupAtInfoList,
      { from: m.from, groupID: m.to, messageSequence: m.sequence, atTypeArray: [kind] },
    ];
  }

  /** The user has read up to seq, here or on another device. */
  read(id: string, seq: number, unread: number): void {
    const e = this.entries.get(id);

    if (!e) return;
    e.readSeq = Math.max(e.readSeq, seq);
    e.view.unreadCount = unread;
    if (unread === 0) e.view.groupAtInfoList = [];
    this.changed();
  }

  /** The peer has read up to seq. */
  readByPeer(id: string, seq: number, timeS: number): void {
    const e = this.entries.get(id);

    if (!e) return;
    e.peerReadSeq = Math.max(e.peerReadSeq, seq);
    e.view.peerReadTime = timeS;
    const last = e.view.lastMessage;

    if (last.fromAccount === this.session.me && last.lastSequence <= e.peerReadSeq)
      e.view.lastMessage = { ...last, isPeerRead: true };
    this.changed();
  }

  private hasUnread(view: Conversation): boolean {
    return !NO_UNREAD.includes(view.groupProfile?.type ?? '');
  }

  private isLive(view: Conversation): boolean {
    return this.groups.isLive(view.groupProfile?.groupID ?? '');
  }
}
