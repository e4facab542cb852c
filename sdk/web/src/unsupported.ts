/* unsupported - methods of the API that the service does not have. Apps call some of them without
 * asking, so each exists and rejects with 2905. */
export const UNSUPPORTED = (
  'accept acceptFriendApplication addConversationsToGroup addFriend addMessageReaction ' +
  'addSignalingListener addToBlacklist addToFriendGroup cancel checkFollowType checkFriend ' +
  'convertVoiceToText createConversationGroup createFriendGroup createTopicInCommunity ' +
  'decreaseGroupCounter deleteConversationGroup deleteConversationsFromGroup deleteFriend ' +
  'deleteFriendApplication deleteFriendGroup deleteGroupAttributes deleteMessage ' +
  'deleteMessageExtensions deleteTopicFromCommunity downloadMergeMessage downloadMergerMessage ' +
  'followUser getAllReceiveMessageOpt getAllUserListOfMessageReaction getBlacklist ' +
  'getConversationGroupList getFriendApplicationList getFriendGroupList getFriendProfile ' +
  'getGroupApplicationList getGroupAttributes getGroupCounters getGroupMessageReadMemberList ' +
  'getJoinedCommunityList getMessageExtensions getMessageReactions getMutualFollowersList ' +
  'getMyFollowersList getMyFollowingList getPinnedGroupMessageList getSignalingInfo getTopicList ' +
  'getUserFollowInfo handleGroupApplication increaseGroupCounter initGroupAttributes invite ' +
  'inviteInGroup inviteInGroupSync inviteSync markConversation markGroupMemberList ' +
  'modifyInvitation modifyMessage pinGroupMessage refuseFriendApplication reject ' +
  'removeFromBlacklist removeFromFriendGroup removeMessageReaction removeSignalingListener ' +
  'renameConversationGroup renameFriendGroup revokeMessage searchCloudGroupMembers ' +
  'searchCloudGroups searchCloudMessages searchCloudUsers sendMessageReadReceipt ' +
  'setAllReceiveMessageOpt setConversationCustomData setFriendApplicationRead setGroupAttributes ' +
  'setGroupCounters setMessageExtensions setSelfStatus translateText unfollowUser updateFriend ' +
  'updateTopicProfile'
).split(' ');
