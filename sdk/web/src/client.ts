import { conversationApi } from './api_conversations.js';
import { groupApi } from './api_groups.js';
import { messageApi } from './api_messages.js';
import { peopleApi } from './api_people.js';
import { Core } from './core.js';
import { sdkError } from './errors.js';
import type { ChatSDK, CreateOptions } from './types.js';
import { UNSUPPORTED } from './unsupported.js';

/* client - one chat client: a core, and the API's methods on it. */

const LIFE = [
  'login',
  'logout',
  'destroy',
  'isReady',
  'getLoginUser',
  'getServerTime',
  'on',
  'off',
  'setLogLevel',
  'registerPlugin',
  'callExperimentalAPI',
] as const;

export function createClient(options: CreateOptions, onDestroy: () => void): ChatSDK {
  const core = new Core(options, onDestroy);
  const chat: Record<string, unknown> = {};

  for (const name of UNSUPPORTED) chat[name] = () => Promise.reject(sdkError('UNSUPPORTED', name));
  for (const name of LIFE) chat[name] = (core[name] as (...args: unknown[]) => unknown).bind(core);
  Object.assign(chat, messageApi(core), conversationApi(core), peopleApi(core), groupApi(core));
  return chat as unknown as ChatSDK;
}
