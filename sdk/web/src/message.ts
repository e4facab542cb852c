import { decodeBody } from './body.js';
import { C2C, FLAG, GROUP, PRIORITIES, TYPES } from './constants.js';
import { hy, text, utf8 } from './codec.js';
import type { Element, Message as Shape, MessageStatus, Payload } from './types.js';

/* message - one message as apps see it. The same object from creation to the end: a field that
 * changes, changes on it. */

export class Message implements Shape {
  ID = '';
  type = '';
  payload: Payload = {};
  conversationID = '';
  conversationType = '';
  to = '';
  from = '';
  flow: 'in' | 'out' = 'in';
  time = 0;
  status: MessageStatus = 'unSend';
  isRevoked = false;
  isDeleted = false;
  isModified = false;
  isPeerRead = false;
  isRead = false;
  isSystemMessage = false;
  isBroadcastMessage = false;
  isSupportExtension = false;
  hasRiskContent = false;
  priority = 'Normal';
  nick = '';
  avatar = '';
  nameCard = '';
  atUserList: string[] = [];
  cloudCustomData = '';
  needReadReceipt = false;
  readReceiptInfo = { readCount: 0, unreadCount: 0, isPeerRead: false };
  sequence = 0;
  clientSequence = 0;
  random = 0;
  clientTime = 0;
  revoker = '';
  revokerInfo = { userID: '', nick: '', avatar: '' };
  revokeReason = '';
  /** All elements: a message that came by REST may have several; payload is the first. */
  _elements: Element[] = [];
  /** What is not for apps: bits of proto MsgFlag, and why it cannot be sent. */
  _flags = 0;
  _timeMs = 0;
  _upload: unknown = null;

  getElements(): Element[] {
    return this._elements;
  }

  /** Kits copy messages through JSON. */
  toJSON(): Record<string, unknown> {
    const { _upload, _flags, _timeMs, ...shown } = this as Record<string, unknown>;

    return shown;
  }
}

let clientSequence = Math.floor(Math.random() * 1e6);

/** sender-time-random; the client id of the wire, so at most 64 bytes. */
export function makeID(from: string, timeS: number, random: number): string {
  return `${idPrefix(from)}${timeS}-${random}`;
}

function idPrefix(from: string): string {
  return utf8(from).length > 40 ? 'u-' : `${from}-`;
}

export interface Draft {
  from: string;
  to: string;
  conversationType: string;
  type: string;
  payload: Payload;
  timeS: number;
}

/** A message to be sent. */
export function draftMessage(draft: Draft): Message {
  const m = new Message();
  const random = Math.floor(Math.random() * 0xffffffff);

  m.ID = makeID(draft.from, draft.timeS, random);
  m.type = draft.type;
  m.payload = draft.payload;
  m._elements = [{ type: m.type, content: m.payload }];
  m.conversationType = draft.conversationType;
  m.conversationID = `${draft.conversationType}${draft.to}`;
  m.to = draft.to;
  m.from = draft.from;
  m.flow = 'out';
  m.time = m.clientTime = draft.timeS;
  m.random = random;
  m.clientSequence = ++clientSequence;
  m.isRead = true;
  return m;
}

/** The conversation of `me` that a message belongs to. */
export function conversationOf(wire: hy.IMsg, me: string): string {
  if (wire.convType === GROUP) return TYPES.CONV_GROUP + wire.to;
  return TYPES.CONV_C2C + (wire.from === me ? wire.to : wire.from);
}

/** The ID that this message has on every device of everybody: the sender's, if it has our form, since
 * it is then unique; else its place. */
export function messageID(wire: hy.IMsg, me: string): string {
  const own = wire.clientId ?? '';
  const place = conversationOf(wire, me);

  if (own.startsWith(idPrefix(wire.from ?? '')) && /-\d+-\d+$/.test(own)) return own;
  return wire.seq ? `${place}-${wire.seq}` : `${place}-${wire.from}-${own}`;
}

/** What the wire says, put into a new message or into the one that is already known by its ID. */
export function fillMessage(m: Message, wire: hy.IMsg, me: string): Message {
  const flags = wire.flags ?? 0;

  if (m.ID === '') fillContent(m, wire, me);
  m.status = 'success';
  m._flags = flags;
  if (wire.seq) m.sequence = wire.seq;
  if (wire.timeMs) stamp(m, wire.timeMs);
  m.nick = wire.nick || m.nick;
  m.avatar = wire.face || m.avatar;
  m.nameCard = wire.nameCard || m.nameCard;
  m.isRevoked = (flags & FLAG.RECALLED) !== 0;
  m.isDeleted = (flags & FLAG.DELETED) !== 0;
  return m;
}

/** The server's clock says when. */
export function stamp(m: Message, timeMs: number): void {
  m._timeMs = timeMs;
  m.time = Math.floor(timeMs / 1000);
}

function fillContent(m: Message, wire: hy.IMsg, me: string): void {
  const elements = decodeBody(wire.body ?? new Uint8Array(0));
  const first = elements[0] ?? {
    type: TYPES.MSG_CUSTOM,
    content: { data: '', description: '', extension: '' },
  };

  m.ID = messageID(wire, me);
  m.type = first.type;
  m.payload = first.content;
  m._elements = elements;
  m.conversationType = wire.convType === C2C ? TYPES.CONV_C2C : TYPES.CONV_GROUP;
  m.conversationID = conversationOf(wire, me);
  m.from = wire.from ?? '';
  m.to = wire.to ?? '';
  m.flow = wire.from === me ? 'out' : 'in';
  m.random = wire.random ?? 0;
  m.clientTime = wire.clientTimeS ?? 0;
  m.priority = PRIORITIES[wire.priority ?? 0] ?? 'Normal';
  m.cloudCustomData = text(wire.cloudCustomData);
  m.atUserList = wire.atUsers ?? [];
  m.needReadReceipt = ((wire.flags ?? 0) & FLAG.NEED_RECEIPT) !== 0;
  m.isSystemMessage = false;
  if (m.type === TYPES.MSG_GRP_TIP) m.payload.groupProfile.groupID = m.to;
}

/** The other side's name in the API and on the wire. */
export function splitConversationID(id: string): { type: string; peer: string; wire: number } | null {
  if (typeof id !== 'string') return null;
  if (id.startsWith(TYPES.CONV_C2C) && id.length > 3)
    return { type: TYPES.CONV_C2C, peer: id.slice(3), wire: C2C };
  if (id.startsWith(TYPES.CONV_GROUP) && id.length > 5)
    return { type: TYPES.CONV_GROUP, peer: id.slice(5), wire: GROUP };
  return null;
}
