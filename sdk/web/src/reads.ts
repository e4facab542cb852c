import type { hy } from './codec.js';
import { C2C, GROUP, TYPES } from './constants.js';
import type { Conversations } from './conversations.js';
import { EVENT } from './events.js';
import { splitConversationID, type Message } from './message.js';
import type { Session } from './session.js';
import type { Timeline } from './timeline.js';

/* reads - how far the user has read, and how far a peer. */

/** The peer has read up to seq: the message with it? True if that is news. */
export function markPeerRead(m: Message, seq: number): boolean {
  if (m.isPeerRead || m.sequence === 0 || m.sequence > seq) return false;
  m.isPeerRead = true;
  m.readReceiptInfo.isPeerRead = true;
  return true;
}

export class Reads {
  constructor(
    private session: Session,
    private conversations: Conversations,
    private line: (id: string) => Timeline | undefined,
  ) {}

  /** Everything that was told is read. */
  async read(id: string): Promise<void> {
    const name = splitConversationID(id);
    const seq = this.line(id)?.told ?? 0;
    const view = this.conversations.find(id);

    if (!view || (view.unreadCount === 0 && seq <= this.conversations.marks(id).readSeq)) return;
    if (!name) {
      this.conversations.read(id, 0, 0);
      return;
    }
    const { readRes } = await this.session.ask({ read: { convType: name.wire, peer: name.peer, seq } });

    this.conversations.read(id, readRes?.readSeq ?? seq, readRes?.unread ?? 0);
    for (const m of this.line(id)?.messages() ?? []) if (m.sequence <= seq) m.isRead = true;
  }

  onRead(notice: hy.IReadNotice): void {
    const { reader, peer, readSeq, unread, convType } = notice;

    if (reader === this.session.me) {
      const id = (convType === GROUP ? TYPES.CONV_GROUP : TYPES.CONV_C2C) + peer;

      this.conversations.read(id, readSeq ?? 0, unread ?? 0);
    } else if (convType === C2C) this.byPeer(TYPES.CONV_C2C + reader, readSeq ?? 0);
  }

  byPeer(id: string, seq: number): boolean {
    if (!id.startsWith(TYPES.CONV_C2C)) return false;
    const mine = (this.line(id)?.messages() ?? []).filter((m) => m.flow === 'out');
    const news = mine.filter((m) => markPeerRead(m, seq));

    if (news.length === 0 && seq <= this.conversations.marks(id).peerReadSeq) return false;
    this.conversations.readByPeer(id, seq, Math.floor(this.session.nowMs() / 1000));
    if (news.length > 0) this.session.emit(EVENT.MESSAGE_READ_BY_PEER, news);
    return true;
  }
}
