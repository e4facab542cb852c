/* types - the API as an app sees it: data first, then the methods. */

/** The part of the WebSocket class that is used; npm `ws` and mini-program shells have it too. */
export interface SocketLike {
  binaryType: string;
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  send(data: any): void;
  close(code?: number, reason?: string): void;
}

export type SocketClass = new (url: string) => SocketLike;

export interface Result<T> {
  code: 0;
  data: T;
}

export interface ChatEvent<T = any> {
  name: string;
  data: T;
}

export type Handler = (event: ChatEvent) => void;

export interface CustomField {
  key: string;
  value: string;
}

export interface Profile {
  userID: string;
  nick: string;
  avatar: string;
  gender: string;
  birthday: number;
  location: string;
  selfSignature: string;
  allowType: string;
  language: number;
  messageSettings: number;
  adminForbidType: string;
  level: number;
  role: number;
  lastUpdatedTime: number;
  profileCustomField: CustomField[];
}

export interface UserStatus {
  userID: string;
  statusType: number;
  customStatus: string;
}

export interface SelfInfo {
  userID: string;
  role: string;
  messageRemindType: string;
  joinTime: number;
  nameCard: string;
}

export interface Group {
  groupID: string;
  name: string;
  avatar: string;
  type: string;
  introduction: string;
  notification: string;
  ownerID: string;
  createTime: number;
  infoSequence: number;
  lastInfoTime: number;
  selfInfo: SelfInfo;
  lastMessage: Record<string, unknown>;
  nextMessageSeq: number;
  memberCount: number;
  maxMemberCount: number;
  joinOption: string;
  inviteOption: string;
  muteAllMembers: boolean;
  groupCustomField: CustomField[];
  isSupportTopic: boolean;
}

export interface GroupMember {
  userID: string;
  nick: string;
  avatar: string;
  role: string;
  joinTime: number;
  lastSendMsgTime: number;
  nameCard: string;
  muteUntil: number;
  memberCustomField: CustomField[];
}

export interface LastMessage {
  lastTime: number;
  lastSequence: number;
  fromAccount: string;
  type: string;
  payload: Record<string, any>;
  messageForShow: string;
  isRevoked: boolean;
  isPeerRead: boolean;
  onlineOnlyFlag: boolean;
  nick: string;
  nameCard: string;
  cloudCustomData: string;
  version: number;
  revoker: string;
}

export interface AtInfo {
  from: string;
  groupID: string;
  messageSequence: number;
  atTypeArray: number[];
}

export interface Conversation {
  conversationID: string;
  type: string;
  unreadCount: number;
  lastMessage: LastMessage;
  userProfile?: Profile;
  groupProfile?: Group;
  groupAtInfoList: AtInfo[];
  remark: string;
  isPinned: boolean;
  messageRemindType: string;
  peerReadTime: number;
  markList: number[];
  customData: string;
  conversationGroupList: string[];
  draftText: string;
}

export interface SendOptions {
  onlineUserOnly?: boolean;
  offlinePushInfo?: Payload;
  messageControlInfo?: { excludedFromUnreadCount?: boolean; excludedFromLastMessage?: boolean };
}

export type Uploader = (
  file: Blob & { name?: string },
  onProgress: (fraction: number) => void,
) => Promise<{ url: string; width?: number; height?: number; second?: number; thumbUrl?: string }>;

export type Payload = Record<string, any>;

export interface Element {
  type: string;
  content: Payload;
}

export type MessageStatus = 'unSend' | 'success' | 'fail';

/** One message; the same object from creation to the end. */
export interface Message {
  ID: string;
  type: string;
  payload: Payload;
  conversationID: string;
  conversationType: string;
  to: string;
  from: string;
  flow: 'in' | 'out';
  time: number;
  status: MessageStatus;
  isRevoked: boolean;
  isDeleted: boolean;
  isModified: boolean;
  isPeerRead: boolean;
  isRead: boolean;
  isSystemMessage: boolean;
  isBroadcastMessage: boolean;
  isSupportExtension: boolean;
  hasRiskContent: boolean;
  priority: string;
  nick: string;
  avatar: string;
  nameCard: string;
  atUserList: string[];
  cloudCustomData: string;
  needReadReceipt: boolean;
  readReceiptInfo: { readCount: number; unreadCount: number; isPeerRead: boolean };
  sequence: number;
  clientSequence: number;
  random: number;
  clientTime: number;
  revoker: string;
  revokerInfo: { userID: string; nick: string; avatar: string };
  revokeReason: string;
  /** All elements in order; payload is the first one's content. */
  getElements(): Element[];
}

export interface CreateOptions {
  SDKAppID: number;
  /** Address of a gateway, ws:// or wss://; several are tried in turn. */
  proxyServer?: string | string[];
  /** A WebSocket class where there is none: npm `ws` in old Nodes, a mini-program's. */
  socket?: SocketClass;
  WebSocketImpl?: SocketClass;
  /** proto Platform; 6 is the web, 8 a mini-program. */
  platform?: number;
  /** Stable for one installation. */
  deviceID?: string;
  /** Instances of one SDKAppID with different names are different. */
  instance?: string;
  timeoutMs?: number;
  [other: string]: unknown;
}

export interface MessageOptions {
  to: string;
  conversationType: string;
  payload: any;
  priority?: string;
  cloudCustomData?: string;
  needReadReceipt?: boolean;
  isSupportExtension?: boolean;
  receiverList?: string[];
  onProgress?: (fraction: number) => void;
}

export type Answer<T> = Promise<Result<T>>;
type Create = (options: MessageOptions) => Message;

export interface ChatSDK {
  login(options: { userID: string; userSig: string }): Answer<{
    actionStatus: string;
    errorCode: number;
    errorInfo: string;
    repeatLogin?: boolean;
  }>;
  logout(): Answer<object>;
  destroy(): Promise<void>;
  isReady(): boolean;
  getLoginUser(): string;
  getServerTime(): number;
  on(name: string, handler: Handler, context?: unknown): void;
  off(name: string, handler: Handler, context?: unknown): void;
  setLogLevel(level: number): void;
  registerPlugin(plugins: Record<string, unknown>): void;
  callExperimentalAPI(key: string, options?: unknown): any;

  createTextMessage: Create;
  createTextAtMessage: Create;
  createCustomMessage: Create;
  createFaceMessage: Create;
  createLocationMessage: Create;
  createImageMessage: Create;
  createAudioMessage: Create;
  createVideoMessage: Create;
  createFileMessage: Create;
  createMergerMessage: Create;
  createForwardMessage: Create;
  sendMessage(message: Message, options?: SendOptions): Answer<{ message: Message }>;
  resendMessage(message: Message): Answer<{ message: Message }>;
  findMessage(id: string): Message | null;
  getMessageReadReceiptList(list: Message[]): Answer<{ messageList: Message[] }>;

  getConversationList(filter?: any): Answer<{ conversationList: Conversation[]; isSyncCompleted: boolean }>;
  getConversationProfile(id: string): Answer<{ conversation: Conversation }>;
  getMessageList(options: { conversationID: string; nextReqMessageID?: string; count?: number }): Answer<{
    messageList: Message[];
    nextReqMessageID: string;
    isCompleted: boolean;
  }>;
  getMessageListHopping(options: {
    conversationID: string;
    sequence?: number;
    time?: number;
    direction?: number;
    count?: number;
  }): Answer<{
    messageList: Message[];
    isCompleted: boolean;
    nextMessageTime?: number;
    nextMessageSeq?: number;
  }>;
  setMessageRead(options: { conversationID: string }): Answer<object>;
  setAllMessageRead(options?: { scope?: string }): Answer<object>;
  getTotalUnreadMessageCount(): number;
  deleteConversation(target: any): Answer<any>;
  clearHistoryMessage(id: string): Answer<{ conversationID: string }>;
  pinConversation(options: { conversationID: string; isPinned: boolean }): Answer<{ conversationID: string }>;
  setMessageRemindType(options: {
    groupID?: string;
    userIDList?: string[];
    messageRemindType: string;
  }): Answer<any>;
  setConversationDraft(options: {
    conversationID: string;
    draftText: string;
  }): Answer<{ conversationID: string }>;

  getMyProfile(): Answer<Profile>;
  getUserProfile(options: { userIDList: string[] }): Answer<Profile[]>;
  updateMyProfile(options: Partial<Profile>): Answer<Profile>;
  getUserStatus(options: {
    userIDList: string[];
  }): Answer<{ successUserList: UserStatus[]; failureUserList: any[] }>;
  subscribeUserStatus(options: { userIDList: string[] }): Answer<{ failureUserList: any[] }>;
  unsubscribeUserStatus(options?: { userIDList?: string[] }): Answer<{ failureUserList: any[] }>;
  getFriendList(): Answer<any[]>;

  getGroupList(options?: any): Answer<{ groupList: Group[] }>;
  createGroup(options: any): Answer<{ group: Group; overLimitUserIDList: string[] }>;
  getGroupProfile(options: { groupID: string; groupCustomFieldFilter?: string[] }): Answer<{ group: Group }>;
  updateGroupProfile(options: any): Answer<{ group: Group }>;
  joinGroup(options: { groupID: string; type?: string; applyMessage?: string }): Answer<{
    status: string;
    group?: Group;
  }>;
  quitGroup(groupID: string): Answer<{ groupID: string }>;
  dismissGroup(groupID: string): Answer<{ groupID: string }>;
  searchGroupByID(groupID: string): Answer<{ group: Group }>;
  changeGroupOwner(options: { groupID: string; newOwnerID: string }): Answer<{ group: Group }>;
  getGroupOnlineMemberCount(groupID: string): Answer<{ memberCount: number }>;
  getGroupMemberList(options: {
    groupID: string;
    count?: number;
    offset?: number | string;
    role?: string;
  }): Answer<{ memberList: GroupMember[]; offset: number }>;
  getGroupMemberProfile(options: {
    groupID: string;
    userIDList: string[];
  }): Answer<{ memberList: GroupMember[] }>;
  addGroupMember(options: { groupID: string; userIDList: string[] }): Answer<{
    successUserIDList: string[];
    failureUserIDList: string[];
    existedUserIDList: string[];
    overLimitUserIDList: string[];
    group: Group;
  }>;
  deleteGroupMember(options: { groupID: string; userIDList: string[]; reason?: string }): Answer<{
    group: Group;
    userIDList: string[];
  }>;
  setGroupMemberMuteTime(options: { groupID: string; userID: string; muteTime: number }): Answer<any>;
  setGroupMemberRole(options: { groupID: string; userID: string; role: string }): Answer<any>;
  setGroupMemberNameCard(options: { groupID: string; userID?: string; nameCard: string }): Answer<any>;
  setGroupMemberCustomField(options: {
    groupID: string;
    userID?: string;
    memberCustomField: any[];
  }): Answer<any>;

  /** What the service does not offer yet exists and rejects with code 2905. */
  [unsupported: string]: any;
}
