import { TYPES } from './constants.js';
import type { Payload } from './types.js';

/* preview - the line of text a conversation list shows for a message. */

const WORDS: Record<string, [zh: string, en: string]> = {
  [TYPES.MSG_IMAGE]: ['[图片]', '[Image]'],
  [TYPES.MSG_AUDIO]: ['[语音]', '[Audio]'],
  [TYPES.MSG_VIDEO]: ['[视频]', '[Video]'],
  [TYPES.MSG_FILE]: ['[文件]', '[File]'],
  [TYPES.MSG_FACE]: ['[表情]', '[Emoji]'],
  [TYPES.MSG_LOCATION]: ['[地理位置]', '[Location]'],
  [TYPES.MSG_CUSTOM]: ['[自定义消息]', '[Custom message]'],
  [TYPES.MSG_MERGER]: ['[聊天记录]', '[Chat history]'],
  [TYPES.MSG_GRP_TIP]: ['[群提示消息]', '[Group tip]'],
  [TYPES.MSG_GRP_SYS_NOTICE]: ['[群系统通知]', '[Group notice]'],
};

function chinese(): boolean {
  return typeof navigator !== 'undefined' && /^zh/i.test(navigator.language ?? '');
}

export function preview(type: string, payload: Payload): string {
  if (type === TYPES.MSG_TEXT) return payload.text;
  return WORDS[type]?.[chinese() ? 0 : 1] ?? '';
}
