import type { Handler } from './types.js';
/** Names of events, by the key the API gives them. */
export declare const EVENT: {
    readonly SDK_READY: "sdkStateReady";
    readonly SDK_NOT_READY: "sdkStateNotReady";
    readonly SDK_DESTROY: "sdkDestroy";
    readonly SDK_RELOAD: "sdkReload";
    readonly MESSAGE_RECEIVED: "onMessageReceived";
    readonly MESSAGE_MODIFIED: "onMessageModified";
    readonly MESSAGE_REVOKED: "onMessageRevoked";
    readonly MESSAGE_READ_BY_PEER: "onMessageReadByPeer";
    readonly MESSAGE_READ_RECEIPT_RECEIVED: "onMessageReadReceiptReceived";
    readonly MESSAGE_EXTENSIONS_UPDATED: "onMessageExtensionsUpdated";
    readonly MESSAGE_EXTENSIONS_DELETED: "onMessageExtensionsDeleted";
    readonly MESSAGE_REACTIONS_UPDATED: "onMessageReactionsUpdated";
    readonly CONVERSATION_LIST_UPDATED: "onConversationListUpdated";
    readonly TOTAL_UNREAD_MESSAGE_COUNT_UPDATED: "onTotalUnreadMessageCountUpdated";
    readonly CONVERSATION_GROUP_LIST_UPDATED: "onConversationGroupListUpdated";
    readonly CONVERSATION_IN_GROUP_UPDATED: "onConversationInGroupUpdated";
    readonly GROUP_LIST_UPDATED: "onGroupListUpdated";
    readonly GROUP_SYSTEM_NOTICE_RECEIVED: "receiveGroupSystemNotice";
    readonly GROUP_ATTRIBUTES_UPDATED: "groupAttributesUpdated";
    readonly GROUP_COUNTER_UPDATED: "onGroupCounterUpdated";
    readonly TOPIC_CREATED: "onTopicCreated";
    readonly TOPIC_DELETED: "onTopicDeleted";
    readonly TOPIC_UPDATED: "onTopicUpdated";
    readonly PROFILE_UPDATED: "onProfileUpdated";
    readonly USER_STATUS_UPDATED: "onUserStatusUpdated";
    readonly BLACKLIST_UPDATED: "blacklistUpdated";
    readonly FRIEND_LIST_UPDATED: "onFriendListUpdated";
    readonly FRIEND_GROUP_LIST_UPDATED: "onFriendGroupListUpdated";
    readonly FRIEND_APPLICATION_LIST_UPDATED: "onFriendApplicationListUpdated";
    readonly MY_FOLLOWERS_LIST_UPDATED: "onMyFollowersListUpdated";
    readonly MY_FOLLOWING_LIST_UPDATED: "onMyFollowingListUpdated";
    readonly MUTUAL_FOLLOWERS_LIST_UPDATED: "onMutualFollowersListUpdated";
    readonly KICKED_OUT: "kickedOut";
    readonly ERROR: "error";
    readonly NET_STATE_CHANGE: "netStateChange";
    readonly ALL_RECEIVE_MESSAGE_OPT_UPDATED: "onAllReceiveMessageOptUpdated";
    readonly SERVER_CONFIG_UPDATED: "onServerConfigUpdated";
    readonly PINNED_GROUP_MESSAGE_UPDATED: "onPinnedGroupMessageUpdated";
    readonly ROOM_CUSTOM_DATA_RECEIVED: "onRoomCustomDataReceived";
};
export type EventName = (typeof EVENT)[keyof typeof EVENT];
/** Who listens to what. A handler that throws does not stop the others. */
export declare class Emitter {
    private listeners;
    on(name: string, handler: Handler, context?: unknown): void;
    off(name: string, handler: Handler): void;
    emit(name: string, data?: unknown): void;
    clear(): void;
}
