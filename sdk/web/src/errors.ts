import type { Result } from './types.js';

/** What this SDK says itself; what the server says is in codes.ts and passes through unchanged. */
export const SDK_CODES = {
  NO_SDKAPPID: [2000, 'SDKAppID is missing; give the number of your app'],
  NO_USER_ID: [2002, 'userID is missing'],
  NO_USER_SIG: [2003, 'userSig is missing'],
  NOT_LOGGED_IN: [2024, 'not logged in; call login() first'],
  LOGIN_RUNNING: [2025, 'a login is already running; wait for it'],
  NO_UPLOADER: [2040, 'no upload plugin; give one with registerPlugin()'],
  SEND_FAILED: [2100, 'the message could not be sent'],
  NOT_A_MESSAGE: [2105, 'that is not a message made by a create method'],
  BAD_CONVERSATION_TYPE: [2106, 'conversationType must be C2C or GROUP'],
  EMPTY_FILE: [2108, 'the file is empty'],
  NO_RECEIPT_WANTED: [2114, 'none of these messages asked for a receipt'],
  NO_FILE: [2401, 'no file was chosen'],
  CONVERSATION_UNKNOWN: [2500, 'no such conversation'],
  BAD_CONVERSATION_ID: [2503, 'a conversation ID is C2C + userID or GROUP + groupID'],
  BAD_GROUP_TYPE: [2600, 'no such type of group'],
  BAD_GROUP_ID: [2602, 'groupID is missing or malformed'],
  GROUP_UNKNOWN: [2603, 'no such group'],
  LIVE_OWNER: [2620, 'the owner of an AVChatRoom cannot change'],
  OWNER_TO_SELF: [2621, 'the group is already yours'],
  CANNOT_DISMISS: [2622, 'a group of type Work cannot be dismissed'],
  LIVE_INVITE: [2661, 'nobody can be added to an AVChatRoom'],
  BAD_MEMBER: [2623, 'the user is not a member of the group'],
  BAD_PROFILE_KEY: [2721, 'that is no field of a profile'],
  NO_PROFILE_KEY: [2722, 'no field of the profile is given'],
  NETWORK: [2800, 'the network failed'],
  TIMEOUT: [2801, 'no answer in time'],
  NO_NETWORK: [2805, 'there is no network'],
  UNCAUGHT: [2903, 'an unexpected error'],
  UNSUPPORTED: [2905, 'this operation is not supported'],
  LOGGED_OUT: [3005, 'logged out meanwhile'],
} as const;

export type SdkCode = keyof typeof SDK_CODES;

/** What every rejected promise holds. */
export class ChatError extends Error {
  code: number;
  data: Record<string, unknown>;

  constructor(code: number, message: string, data: Record<string, unknown> = {}) {
    super(message);
    this.name = 'ChatError';
    this.code = code;
    this.data = data;
    // Own and enumerable, as apps log errors with JSON.stringify.
    Object.defineProperty(this, 'message', { value: message, enumerable: true, writable: true });
  }
}

export function sdkError(name: SdkCode, detail = ''): ChatError {
  const [code, text] = SDK_CODES[name];

  return new ChatError(code, detail ? `${text}: ${detail}` : text);
}

export function ok<T>(data: T): Result<T> {
  return { code: 0, data };
}
