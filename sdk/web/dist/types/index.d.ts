import { CODES } from './codes.js';
import { TSignaling, TYPES } from './constants.js';
import { EVENT } from './events.js';
import type { ChatSDK, CreateOptions } from './types.js';
export type * from './types.js';
/** Kept for apps that name these types; there are no friends and topics yet. */
export type Friend = Record<string, any>;
export type FriendApplication = Record<string, any>;
export type FriendGroup = Record<string, any>;
export type Topic = Record<string, any>;
export interface ChatNamespace {
    create(options: CreateOptions): ChatSDK;
    EVENT: typeof EVENT;
    TYPES: typeof TYPES;
    TSignaling: typeof TSignaling;
    /** Codes of the server, by name. */
    CODES: typeof CODES;
    VERSION: string;
}
declare const TencentCloudChat: ChatNamespace;
export default TencentCloudChat;
