import { hy } from './codec.js';
import { REMINDS, TYPES } from './constants.js';
import type { Core } from './core.js';
import { ok, sdkError } from './errors.js';
import { log } from './log.js';
import type { Page } from './timeline.js';
import type { Conversation, Payload } from './types.js';

/* api_conversations - the API's methods on the list, history and read marks. */

const PAGE = 15;

async function setConversation(core: Core, id: string, op: hy.ConvSetReq.Op, value = 0): Promise<void> {
  core.needLogin();
  const name = core.peerOf(id);

  if (name) await core.ask({ convSet: { type: name.wire, peer: name.peer, op, value } });
}

async function pageOf(core: Core, id: string, beforeID: string, count: number): Promise<Page> {
  return id === TYPES.CONV_SYSTEM
    ? core.notices.page(beforeID, count)
    : core.messages.page(id, beforeID, count);
}

function matches(c: Conversation, filter: string[] | Payload): boolean {
  if (Array.isArray(filter)) return filter.includes(c.conversationID);
  return (
    (filter.type === undefined || c.type === filter.type) &&
    (filter.groupName === undefined || filter.groupName === '') &&
    (filter.markType === undefined || filter.markType === 0) &&
    (!filter.hasUnreadCount || c.unreadCount > 0) &&
    (!filter.hasGroupAtInfo || c.groupAtInfoList.length > 0)
  );
}

export function conversationApi(core: Core) {
  const api = {
    async getConversationList(filter?: string[] | Payload) {
      core.needLogin();
      const all = core.conversations.list();
      const conversationList = filter ? all.filter((c) => matches(c, filter)) : all;

      return ok({ conversationList, isSyncCompleted: core.synced });
    },

    async getConversationProfile(id: string) {
      core.needLogin();
      const name = core.peerOf(id);
      const known = core.conversations.find(id);

      if (known || !name) return ok({ conversation: known ?? core.conversations.blank(id) });
      await core.messages.meet(id).catch((err) => log.debug('new conversation', err));
      const conversation = core.conversations.find(id) ?? core.conversations.blank(id);

      if (conversation.userProfile)
        await core.profiles.get([name.peer]).catch((err) => log.debug('profile', err));
      else await core.groups.refresh(name.peer);
      conversation.groupProfile &&= core.groups.find(name.peer);
      return ok({ conversation });
    },

    async getMessageList(options: { conversationID: string; nextReqMessageID?: string; count?: number }) {
      core.needLogin();
      core.peerOf(options.conversationID);
      const count = Math.min(options.count || PAGE, PAGE);
      const page = await pageOf(core, options.conversationID, options.nextReqMessageID ?? '', count);

      return ok({ messageList: page.list, nextReqMessageID: page.next, isCompleted: page.isCompleted });
    },

    async getMessageListHopping(options: Payload) {
      core.needLogin();
      core.peerOf(options.conversationID);
      const newer = options.direction === 1;
      const count = Math.min(options.count || PAGE, PAGE);
      const { list, complete } = await core.messages.hop(options.conversationID, options, newer, count);
      const edge = newer ? list[list.length - 1] : list[0];
      const step = newer ? 1 : -1;
      const next = options.conversationID.startsWith(TYPES.CONV_C2C)
        ? { nextMessageTime: edge && !complete ? edge.time : 0 }
        : { nextMessageSeq: edge && !complete ? edge.sequence + step : 0 };

      return ok({ messageList: list, isCompleted: complete, ...next });
    },

    async setMessageRead({ conversationID }: { conversationID: string }) {
      core.needLogin();
      core.peerOf(conversationID);
      await core.messages.reads.read(conversationID);
      return ok({});
    },

    async setAllMessageRead({ scope = TYPES.READ_ALL_MSG as string } = {}) {
      core.needLogin();
      const wants = (c: Conversation) =>
        scope === TYPES.READ_ALL_MSG ||
        (scope === TYPES.READ_ALL_C2C_MSG && c.type === TYPES.CONV_C2C) ||
        (scope === TYPES.READ_ALL_GROUP_MSG && c.type === TYPES.CONV_GROUP);
      const unread = core.conversations.list().filter((c) => c.unreadCount > 0 && wants(c));

      for (const c of unread) await core.messages.reads.read(c.conversationID);
      return ok({});
    },

    getTotalUnreadMessageCount(): number {
      return core.conversations.totalUnread();
    },

    async deleteConversation(target: string | Payload) {
      core.needLogin();
      if (typeof target === 'string') {
        await setConversation(core, target, hy.ConvSetReq.Op.HIDE);
        core.forget(target);
        return ok({ conversationID: target });
      }
      const successConversationIDList: string[] = [];
      const failureConversationIDList: string[] = [];

      for (const id of target.conversationIDList ?? [])
        try {
          if (target.clearHistoryMessage) await api.clearHistoryMessage(id);
          await api.deleteConversation(id);
          successConversationIDList.push(id);
        } catch {
          failureConversationIDList.push(id);
        }
      return ok({ successConversationIDList, failureConversationIDList });
    },

    async clearHistoryMessage(id: string) {
      await setConversation(core, id, hy.ConvSetReq.Op.CLEAR);
      if (id === TYPES.CONV_SYSTEM) core.notices.clear();
      else core.messages.clearHistory(id);
      if (id !== TYPES.CONV_SYSTEM) await core.messages.meet(id).catch((err) => log.debug('cleared', err));
      return ok({ conversationID: id });
    },

    async pinConversation({ conversationID, isPinned }: { conversationID: string; isPinned: boolean }) {
      const { PIN, UNPIN } = hy.ConvSetReq.Op;
      const view = core.conversations.find(conversationID);

      if (!view) throw sdkError('CONVERSATION_UNKNOWN', conversationID);
      await setConversation(core, conversationID, isPinned ? PIN : UNPIN);
      view.isPinned = isPinned;
      core.conversations.changed();
      return ok({ conversationID });
    },

    async setMessageRemindType({ groupID, userIDList = [], messageRemindType }: Payload) {
      const value = REMINDS.indexOf(messageRemindType);
      const ids: string[] = groupID
        ? [TYPES.CONV_GROUP + groupID]
        : userIDList.map((user: string) => TYPES.CONV_C2C + user);

      if (value < 0 || ids.length === 0) throw sdkError('UNSUPPORTED', String(messageRemindType));
      for (const id of ids) {
        await setConversation(core, id, hy.ConvSetReq.Op.REMIND, value);
        const view = core.conversations.find(id);

        if (view) view.messageRemindType = messageRemindType;
      }
      core.conversations.changed();
      if (!groupID) return ok({ successUserIDList: userIDList, failureUserIDList: [] });
      await core.groups.refresh(groupID);
      return ok({ group: core.groups.find(groupID) ?? core.groups.placeholder(groupID) });
    },

    /** Drafts stay on this device. */
    async setConversationDraft({ conversationID, draftText }: { conversationID: string; draftText: string }) {
      core.needLogin();
      const view = core.conversations.find(conversationID);

      if (!view) throw sdkError('CONVERSATION_UNKNOWN', conversationID);
      view.draftText = draftText ?? '';
      core.conversations.changed();
      return ok({ conversationID });
    },
  };

  return api;
}
