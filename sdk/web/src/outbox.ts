import { encodeBody, isMessageType } from './body.js';
import { hy, utf8 } from './codec.js';
import { C2C, FLAG, GROUP, PRIORITIES, TYPES } from './constants.js';
import { sdkError } from './errors.js';
import { Message, stamp } from './message.js';
import type { Messages } from './messages.js';
import type { Session } from './session.js';
import type { Payload, SendOptions } from './types.js';

/* outbox - messages on their way out, one conversation's in the order they were sent. */

export class Outbox {
  private sending = new Map<string, Promise<unknown>>(); // by conversation

  constructor(
    private session: Session,
    private messages: Messages,
    private timeoutMs: number,
  ) {}

  clear(): void {
    this.sending.clear();
  }

  /** Sends to one conversation go one after the other, so that no retry can change their order. */
  async send(m: Message, options: SendOptions = {}): Promise<Message> {
    if (!(m instanceof Message) || !isMessageType(m.type)) throw sdkError('NOT_A_MESSAGE');
    if (m.conversationType !== TYPES.CONV_C2C && m.conversationType !== TYPES.CONV_GROUP)
      throw sdkError('BAD_CONVERSATION_TYPE');
    const before = this.sending.get(m.conversationID) ?? Promise.resolve();
    const mine = before.then(() => this.sendNow(m, options));
    const done = mine.catch(() => undefined);

    m.status = 'unSend';
    this.sending.set(m.conversationID, done);
    void done.then(() => {
      if (this.sending.get(m.conversationID) === done) this.sending.delete(m.conversationID);
    });
    return mine;
  }

  private async sendNow(m: Message, options: SendOptions): Promise<Message> {
    try {
      const { sendRes } = await this.session.ask({ send: this.request(m, options) }, this.timeoutMs);

      m.status = 'success';
      m.sequence = sendRes?.seq ?? 0;
      if (sendRes?.timeMs) stamp(m, sendRes.timeMs);
    } catch (err) {
      if ((m.status as string) === 'success') return m; // seen in the history meanwhile
      m.status = 'fail';
      throw err;
    }
    this.messages.placed(m);
    return m;
  }

  private request(m: Message, options: SendOptions): hy.ISendReq {
    m._flags = flagsOf(m, options);
    return {
      convType: m.conversationType === TYPES.CONV_C2C ? C2C : GROUP,
      to: m.to,
      clientId: m.ID,
      random: m.random,
      body: encodeBody(m.type, m.payload),
      flags: m._flags,
      priority: Math.max(0, PRIORITIES.indexOf(m.priority as 'Normal')),
      cloudCustomData: utf8(m.cloudCustomData),
      clientTimeS: m.clientTime,
      atUsers: m.atUserList,
      offlinePush: options.offlinePushInfo
        ? utf8(JSON.stringify(pushInfo(options.offlinePushInfo)))
        : undefined,
    };
  }
}

function flagsOf(m: Message, options: SendOptions): number {
  const control = options.messageControlInfo ?? {};

  return (
    (options.onlineUserOnly ? FLAG.ONLINE_ONLY : 0) |
    (control.excludedFromUnreadCount ? FLAG.NO_UNREAD : 0) |
    (control.excludedFromLastMessage ? FLAG.NO_LAST : 0) |
    (options.offlinePushInfo?.disablePush ? FLAG.NO_PUSH : 0) |
    (m.needReadReceipt ? FLAG.NEED_RECEIPT : 0)
  );
}

/** OfflinePushInfo as REST has it. */
function pushInfo(info: Payload): Payload {
  return {
    PushFlag: info.disablePush ? 1 : 0,
    Title: info.title ?? '',
    Desc: info.description ?? '',
    Ext: info.extension ?? '',
  };
}
