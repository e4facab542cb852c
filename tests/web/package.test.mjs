import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import vm from 'node:vm';
import { Chat, EVENT, rejection, sdkHome, TYPES } from './lib.mjs';

const require = createRequire(join(sdkHome, 'package.json'));
const read = (name) => readFileSync(join(sdkHome, name), 'utf8');
const manifest = JSON.parse(read('package.json'));

function tree(dir, at = '') {
  return readdirSync(join(dir, at), { withFileTypes: true }).flatMap((e) =>
    e.isDirectory() ? tree(dir, join(at, e.name)) : [join(at, e.name)],
  );
}

test('dist is what the source builds', () => {
  const out = mkdtempSync(join(tmpdir(), 'hongyan-dist-'));
  const dist = join(sdkHome, 'dist');
  const codes = read('src/codes.ts');

  execFileSync(process.execPath, [join(sdkHome, 'scripts/build.mjs'), out], { stdio: 'inherit' });
  assert.equal(read('src/codes.ts'), codes, 'src/codes.ts is behind common/codes.h');
  assert.deepEqual(tree(out).sort(), tree(dist).sort());
  for (const name of tree(out))
    assert.equal(readFileSync(join(out, name), 'utf8'), readFileSync(join(dist, name), 'utf8'), name);
});

test('the lock file names no host to download from', () => {
  assert.doesNotMatch(read('package-lock.json'), /"resolved"/);
});

test('the script sets both globals and works without eval', () => {
  const context = vm.createContext({ console }, { codeGeneration: { strings: false, wasm: false } });

  vm.runInContext('var self = globalThis;', context);
  vm.runInContext(read('dist/hongyan-chat.umd.js'), context);
  assert.equal(vm.runInContext('TIM === TencentCloudChat && typeof TIM.create', context), 'function');
  assert.equal(vm.runInContext('TIM.VERSION', context), manifest.version);
});

test('require and import give the same API', () => {
  const required = require(sdkHome);

  assert.equal(required, required.default);
  assert.deepEqual(Object.keys(required.TYPES), Object.keys(TYPES));
  assert.match(Chat.VERSION, /^3\.3\.\d+$/);
});

test('an app compiles against the types, as module and as CommonJS', () => {
  const dir = mkdtempSync(join(tmpdir(), 'hongyan-types-'));
  const tsc = require.resolve('typescript/bin/tsc');
  const app = (imported) => `${imported}
    const chat = TencentCloudChat.create({ SDKAppID: 1 });
    chat.on(TencentCloudChat.EVENT.SDK_READY, (event) => console.log(event.name));
    async function main(): Promise<string> {
      const { data } = await chat.getMessageList({ conversationID: 'C2Cben' });
      const ids: string[] = data.messageList.map((m) => m.ID);
      await chat.invite({});
      return ids[0];
    }
    main();`;

  writeFileSync(
    join(dir, 'a.mts'),
    app(
      `import TencentCloudChat from 'hongyan-chat'; import type { Message } from 'hongyan-chat'; let m: Message | undefined; void m;`,
    ),
  );
  writeFileSync(join(dir, 'b.cts'), app(`import TencentCloudChat = require('hongyan-chat');`));
  execFileSync(process.execPath, [
    '-e',
    `require('fs').mkdirSync(${JSON.stringify(join(dir, 'node_modules'))}); require('fs').symlinkSync(${JSON.stringify(sdkHome)}, ${JSON.stringify(join(dir, 'node_modules/hongyan-chat'))})`,
  ]);
  execFileSync(
    process.execPath,
    [tsc, '--noEmit', '--strict', '--module', 'node16', '--lib', 'es2020,dom', 'a.mts', 'b.cts'],
    { cwd: dir, stdio: 'inherit' },
  );
});

// All of the API, P0 to out of scope: a kit may call any of them.
const METHODS = `login logout destroy isReady getLoginUser getServerTime on off registerPlugin setLogLevel
  callExperimentalAPI createTextMessage createTextAtMessage createCustomMessage createImageMessage
  createFileMessage createAudioMessage createVideoMessage createFaceMessage createLocationMessage
  createMergerMessage createForwardMessage downloadMergerMessage downloadMergeMessage sendMessage
  resendMessage revokeMessage deleteMessage modifyMessage findMessage sendMessageReadReceipt
  getMessageReadReceiptList getGroupMessageReadMemberList setMessageExtensions getMessageExtensions
  deleteMessageExtensions addMessageReaction removeMessageReaction getMessageReactions
  getAllUserListOfMessageReaction translateText convertVoiceToText searchCloudMessages
  getConversationList getConversationProfile getMessageList getMessageListHopping setMessageRead
  setAllMessageRead getTotalUnreadMessageCount deleteConversation clearHistoryMessage pinConversation
  setMessageRemindType setConversationDraft setConversationCustomData markConversation
  getConversationGroupList createConversationGroup getMyProfile getUserProfile updateMyProfile
  getBlacklist addToBlacklist removeFromBlacklist getUserStatus subscribeUserStatus
  unsubscribeUserStatus setSelfStatus getFriendList addFriend deleteFriend checkFriend
  getFriendProfile updateFriend getFriendApplicationList acceptFriendApplication
  refuseFriendApplication deleteFriendApplication setFriendApplicationRead getFriendGroupList
  createFriendGroup addToFriendGroup removeFromFriendGroup deleteFriendGroup renameFriendGroup
  getGroupList createGroup getGroupProfile updateGroupProfile joinGroup quitGroup dismissGroup
  searchGroupByID changeGroupOwner handleGroupApplication getGroupApplicationList
  getGroupOnlineMemberCount getGroupMemberList getGroupMemberProfile addGroupMember
  deleteGroupMember setGroupMemberMuteTime setGroupMemberRole setGroupMemberNameCard
  setGroupMemberCustomField initGroupAttributes setGroupAttributes deleteGroupAttributes
  getGroupAttributes markGroupMemberList pinGroupMessage getPinnedGroupMessageList invite accept`;

const SYNCHRONOUS =
  /^(create\w*Message|on|off|isReady|get(LoginUser|ServerTime|TotalUnread\w*)|findMessage|setLogLevel|registerPlugin|destroy|unsubscribeUserStatus|getMessageReadReceiptList|callExperimentalAPI)$/;

test('every method is there, and before login rejects with 2024 or 2905', async () => {
  const chat = Chat.create({ SDKAppID: 1400000099, socket: class {} });

  for (const name of METHODS.split(/\s+/)) {
    assert.equal(typeof chat[name], 'function', name);
    if (SYNCHRONOUS.test(name) || name === 'login') continue;
    const { code } = await rejection(
      chat[name]({ conversationID: 'C2Ca', userIDList: [], nick: 'x', newOwnerID: 'x' }),
    );

    assert.ok(
      code === 2024 || code === 2905 || code === 2602 || code === 2503 || code === 2500,
      `${name}: ${code}`,
    );
  }
});

test('every event and the constants kits read', () => {
  const strings = {
    SDK_READY: 'sdkStateReady',
    MESSAGE_RECEIVED: 'onMessageReceived',
    CONVERSATION_LIST_UPDATED: 'onConversationListUpdated',
    GROUP_ATTRIBUTES_UPDATED: 'groupAttributesUpdated',
    BLACKLIST_UPDATED: 'blacklistUpdated',
    KICKED_OUT: 'kickedOut',
    NET_STATE_CHANGE: 'netStateChange',
    ERROR: 'error',
    GROUP_SYSTEM_NOTICE_RECEIVED: 'receiveGroupSystemNotice',
    SDK_RELOAD: 'sdkReload',
  };

  for (const [key, value] of Object.entries(strings)) assert.equal(EVENT[key], value);
  assert.equal(Object.keys(EVENT).length, 39);
  assert.equal(TYPES.MSG_AT_ALL, '__kImSDK_MesssageAtALL__');
  assert.equal(TYPES.GRP_MEETING, 'ChatRoom');
  assert.equal(TYPES.CONV_SYSTEM, '@TIM#SYSTEM');
});
