import { utf8 } from './codec.js';
import { ROLES, TYPES } from './constants.js';
import type { Core } from './core.js';
import { ok, sdkError } from './errors.js';
import { isLive } from './groups.js';
import type { Payload } from './types.js';

/* api_groups - the API's methods on groups and their members. */

const JOIN_STATUS: Record<number, string> = {
  1: TYPES.JOIN_STATUS_SUCCESS,
  2: TYPES.JOIN_STATUS_ALREADY_IN_GROUP,
  3: TYPES.JOIN_STATUS_WAIT_APPROVAL,
};

export function groupApi(core: Core) {
  return {
    async getGroupList() {
      return ok({ groupList: await core.groups.sync() });
    },

    async createGroup(options: Payload) {
      const group = await core.groups.create(options);

      if (!isLive(group.type)) await core.arrive(group.groupID);
      return ok({ group, overLimitUserIDList: [] as string[] });
    },

    async getGroupProfile({ groupID }: { groupID: string }) {
      return ok({ group: await core.groups.get(groupID) });
    },

    async searchGroupByID(groupID: string) {
      return ok({ group: await core.groups.get(groupID) });
    },

    async updateGroupProfile(options: Payload) {
      return ok({ group: await core.groups.update(options) });
    },

    async joinGroup({ groupID, applyMessage = '' }: { groupID: string; applyMessage?: string }) {
      const { groupJoinRes } = await core.ask({ groupJoin: { group: groupID, applyMessage } });
      const status = JOIN_STATUS[groupJoinRes?.status ?? 1];

      if (status === TYPES.JOIN_STATUS_WAIT_APPROVAL) return ok({ status });
      if (groupJoinRes?.group?.group) core.groups.adopt(groupJoinRes.group);
      await core.arrive(groupID);
      const group = core.groups.find(groupID) ?? core.groups.placeholder(groupID);

      core.groups.join(group);
      core.messages.receive(groupJoinRes?.recent ?? []);
      return ok({ status, group });
    },

    async quitGroup(groupID: string) {
      await core.ask({ groupQuit: { group: groupID } });
      core.depart(groupID);
      return ok({ groupID });
    },

    async dismissGroup(groupID: string) {
      if (core.groups.find(groupID)?.type === TYPES.GRP_WORK) throw sdkError('CANNOT_DISMISS');
      await core.ask({ groupDestroy: { group: groupID } });
      core.depart(groupID);
      return ok({ groupID });
    },

    async changeGroupOwner({ groupID, newOwnerID }: { groupID: string; newOwnerID: string }) {
      if (newOwnerID === core.me) throw sdkError('OWNER_TO_SELF');
      if (core.groups.isLive(groupID)) throw sdkError('LIVE_OWNER');
      await core.ask({ groupOwner: { group: groupID, newOwner: newOwnerID } });
      return ok({ group: await core.groups.get(groupID) });
    },

    async getGroupOnlineMemberCount(groupID: string) {
      const { groupOnlineRes } = await core.ask({ groupOnline: { group: groupID } });

      return ok({ memberCount: groupOnlineRes?.count ?? 0 });
    },

    async getGroupMemberList(options: Payload) {
      return ok(await core.groups.members(options));
    },

    async getGroupMemberProfile({ groupID, userIDList }: { groupID: string; userIDList: string[] }) {
      return ok({ memberList: await core.groups.memberProfiles(groupID, userIDList) });
    },

    async addGroupMember({ groupID, userIDList }: { groupID: string; userIDList: string[] }) {
      if (core.groups.isLive(groupID)) throw sdkError('LIVE_INVITE');
      const { membersAddRes } = await core.ask({ membersAdd: { group: groupID, users: userIDList } });
      const results = membersAddRes?.results ?? [];
      const with_ = (...codes: number[]) =>
        results.filter((r) => codes.includes(r.result ?? 0)).map((r) => r.user ?? '');

      await core.groups.refresh(groupID);
      return ok({
        successUserIDList: with_(1, 3),
        failureUserIDList: with_(0),
        existedUserIDList: with_(2),
        overLimitUserIDList: with_(4),
        group: core.groups.find(groupID) ?? core.groups.placeholder(groupID),
      });
    },

    async deleteGroupMember({ groupID, userIDList, reason = '' }: Payload) {
      await core.ask({ membersRemove: { group: groupID, users: userIDList, reason } });
      await core.groups.refresh(groupID);
      return ok({ group: core.groups.find(groupID) ?? core.groups.placeholder(groupID), userIDList });
    },

    async setGroupMemberMuteTime({ groupID, userID, muteTime }: Payload) {
      return ok(await core.groups.setMember(groupID, userID, [{ name: 'MuteTime', num: Number(muteTime) }]));
    },

    async setGroupMemberRole({ groupID, userID, role }: Payload) {
      return ok(await core.groups.setMember(groupID, userID, [{ name: 'Role', num: ROLES.indexOf(role) }]));
    },

    async setGroupMemberNameCard({ groupID, userID, nameCard }: Payload) {
      const fields = [{ name: 'NameCard', str: utf8(String(nameCard ?? '')) }];

      return ok(await core.groups.setMember(groupID, userID ?? core.me, fields));
    },

    async setGroupMemberCustomField({ groupID, userID, memberCustomField }: Payload) {
      return ok(await core.groups.setCustom(groupID, userID ?? core.me, memberCustomField));
    },
  };
}
