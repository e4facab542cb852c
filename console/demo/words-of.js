// Texts made from messages and conversations.
import { say } from './words.js';

const { TYPES } = window.TencentCloudChat;
const TIPS = ['', 'tipJoin', 'tipQuit', 'tipKicked', 'tipAdmin', 'tipNoAdmin', 'tipChanged', 'tipMember'];

export const isTip = (type) => type === TYPES.MSG_GRP_TIP || type === TYPES.MSG_GRP_SYS_NOTICE;

/** Is this a custom message that only says that somebody writes? */
export const isTyping = (message) => message.type === TYPES.MSG_CUSTOM && message.payload.data === 'typing';

/** One line for any message. */
export function lineOf(type, payload) {
  switch (type) {
    case TYPES.MSG_TEXT:
      return payload.text;
    case TYPES.MSG_GRP_TIP:
      return say(TIPS[payload.operationType] || 'kindOther', { who: names(payload) });
    case TYPES.MSG_GRP_SYS_NOTICE:
      return say(`notice${payload.operationType}`, {
        who: payload.operatorID,
        group: payload.groupProfile.name || payload.groupProfile.groupID,
      });
    case TYPES.MSG_CUSTOM:
      return payload.description || payload.data || say('kindOther');
    case TYPES.MSG_IMAGE:
      return say('kindImage');
    case TYPES.MSG_FILE:
      return `${say('kindFile')} ${payload.fileName}`;
    default:
      return say('kindOther');
  }
}

function names(payload) {
  return payload.memberList.map((m) => m.nick || m.userID).join(', ') || payload.operatorID;
}

export function titleOf(conversation) {
  const { type, userProfile, groupProfile } = conversation;

  if (type === TYPES.CONV_SYSTEM) return say('notifications');
  return (
    userProfile?.nick ||
    userProfile?.userID ||
    groupProfile?.name ||
    groupProfile?.groupID ||
    conversation.conversationID
  );
}

export function peerOf(conversation) {
  return (
    conversation.userProfile?.userID ?? conversation.groupProfile?.groupID ?? conversation.conversationID
  );
}
