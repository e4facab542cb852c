import type { Core } from './core.js';
import { ok, sdkError } from './errors.js';
import type { Profile } from './types.js';

/* api_people - the API's methods on profiles, states and friends. */

export function peopleApi(core: Core) {
  return {
    async getMyProfile() {
      core.needLogin();
      return ok(await core.profiles.mine());
    },

    async getUserProfile({ userIDList }: { userIDList: string[] }) {
      return ok(await core.profiles.get(userIDList));
    },

    async updateMyProfile(change: Partial<Profile>) {
      return ok(await core.profiles.update(change));
    },

    async getUserStatus({ userIDList }: { userIDList: string[] }) {
      return ok({ successUserList: await core.profiles.status(userIDList), failureUserList: [] });
    },

    async subscribeUserStatus({ userIDList }: { userIDList: string[] }) {
      core.needLogin();
      if (userIDList.length + core.profiles.watching > 500)
        throw sdkError('UNSUPPORTED', 'more than 500 users');
      core.profiles.watch(userIDList);
      return ok({ failureUserList: [] });
    },

    async unsubscribeUserStatus({ userIDList }: { userIDList?: string[] } = {}) {
      core.profiles.unwatch(userIDList);
      return ok({ failureUserList: [] });
    },

    /** The service keeps no friends yet; kits show the list before anything else. */
    async getFriendList() {
      core.needLogin();
      return ok([]);
    },
  };
}
