import { createClient } from './client.js';
import { CODES } from './codes.js';
import { TSignaling, TYPES } from './constants.js';
import { sdkError } from './errors.js';
import { EVENT } from './events.js';
import type { ChatSDK, CreateOptions } from './types.js';

declare const SDK_VERSION: string;

export type * from './types.js';

/** Kept for apps that name these types; there are no friends and topics yet. */
export type Friend = Record<string, any>;
export type FriendApplication = Record<string, any>;
export type FriendGroup = Record<string, any>;
export type Topic = Record<string, any>;

const instances = new Map<string, ChatSDK>();

/** One instance for one SDKAppID, and for each name given as option `instance`. */
function create(options: CreateOptions): ChatSDK {
  if (!options?.SDKAppID) throw sdkError('NO_SDKAPPID');
  const key = `${options.SDKAppID} ${options.instance ?? ''}`;
  let chat = instances.get(key);

  if (!chat) {
    chat = createClient(options, () => instances.delete(key));
    instances.set(key, chat);
  }
  return chat;
}

export interface ChatNamespace {
  create(options: CreateOptions): ChatSDK;
  EVENT: typeof EVENT;
  TYPES: typeof TYPES;
  TSignaling: typeof TSignaling;
  /** Codes of the server, by name. */
  CODES: typeof CODES;
  VERSION: string;
}

const TencentCloudChat: ChatNamespace = { create, EVENT, TYPES, TSignaling, CODES, VERSION: SDK_VERSION };

export default TencentCloudChat;
