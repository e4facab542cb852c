import type { hy } from './codec.js';
import { TYPES } from './constants.js';
import { Message, stamp } from './message.js';
import type { Session } from './session.js';
import type { Page } from './timeline.js';

/* notices - group system notices, the messages of @TIM#SYSTEM. They are here until sign-out. */

const CUSTOM = 255;

export class Notices {
  private list: Message[] = [];

  constructor(private session: Session) {}

  clear(): void {
    this.list = [];
  }

  add(notice: hy.ISystemNotice, text: string): Message {
    const m = new Message();

    m.type = TYPES.MSG_GRP_SYS_NOTICE;
    m.conversationID = m.conversationType = TYPES.CONV_SYSTEM;
    m.ID = `${TYPES.CONV_SYSTEM}-${notice.timeMs}-${notice.type}-${notice.group}-${this.list.length}`;
    m.from = notice.operatorId ?? '';
    m.to = this.session.me;
    m.sequence = this.list.length + 1;
    m.status = 'success';
    m.isSystemMessage = true;
    stamp(m, notice.timeMs ?? 0);
    m.payload = {
      operatorID: notice.operatorId,
      operationType: notice.type,
      groupProfile: { groupID: notice.group, groupName: notice.groupName, name: notice.groupName },
      handleMessage: notice.type === CUSTOM ? '' : text,
      userDefinedField: notice.type === CUSTOM ? text : '',
    };
    m._elements = [{ type: m.type, content: m.payload }];
    this.list.push(m);
    return m;
  }

  page(beforeID: string, count: number): Page {
    const at = this.list.findIndex((m) => m.ID === beforeID);
    const end = at < 0 ? this.list.length : at;
    const start = Math.max(0, end - count);
    const list = this.list.slice(start, end);

    return { list, next: start > 0 ? list[0].ID : '', isCompleted: start === 0 };
  }
}
