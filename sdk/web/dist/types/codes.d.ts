/** What the server may answer. The sentence comes with the answer. */
export declare const CODES: {
    /** no sign-in within the deadline; connect and sign in again */
    readonly LOGIN_TIMEOUT: 6012;
    /** sign in first */
    readonly NOT_LOGGED_IN: 6014;
    /** the ticket has expired while connected; sign in with a new one */
    readonly SIG_EXPIRED_ONLINE: 6206;
    /** another device signed in; sign in again to come back */
    readonly KICKED_BY_DEVICE: 6208;
    /** too many requests on this link; slow down */
    readonly FREQUENCY: 6226;
    /** the HTTP request could not be parsed; check the URL */
    readonly HTTP_PARSE: 60002;
    /** the body is not valid JSON; send one JSON object in UTF-8 */
    readonly BODY_NOT_JSON: 60003;
    /** identifier is missing or malformed in the URL */
    readonly URL_ACCOUNT: 60004;
    /** usersig is missing or malformed in the URL */
    readonly URL_TICKET: 60005;
    /** no such sdkappid; check the number */
    readonly APP_UNKNOWN: 60006;
    /** the call rate of this command is exceeded; slow down */
    readonly RATE_COMMAND: 60007;
    /** no answer in time inside the cluster; try again */
    readonly TIMEOUT: 60008;
    /** no such command; check service and command in the path */
    readonly NO_SUCH_PATH: 60009;
    /** identifier must be an administrator of the app */
    readonly NOT_ADMIN: 60010;
    /** the call rate of the app is exceeded; slow down */
    readonly RATE_APP: 60011;
    /** sdkappid is missing in the URL */
    readonly APP_MISSING: 60012;
    /** an account in the body is not a string */
    readonly ACCOUNT_NOT_TEXT: 60015;
    /** the app is suspended */
    readonly APP_DISABLED: 60016;
    /** this request is disabled for the app */
    readonly REQUEST_DISABLED: 60017;
    /** the text has a forbidden word */
    readonly DIRTY_WORD: 80001;
    /** the message is too long; at most 9 KB with all elements */
    readonly MSG_TOO_LONG: 80002;
    /** the ticket has expired; make a new one */
    readonly SIG_EXPIRED: 70001;
    /** the ticket is empty */
    readonly SIG_EMPTY: 70002;
    /** the ticket cannot be decoded; it may have been cut */
    readonly SIG_DECODE: 70003;
    /** the ticket's fields are missing or ill-formed */
    readonly SIG_INVALID: 70005;
    /** the ticket was not made with this app's key */
    readonly SIG_MISMATCH: 70009;
    /** the ticket belongs to another identifier */
    readonly SIG_OTHER_USER: 70013;
    /** the ticket belongs to another sdkappid */
    readonly SIG_OTHER_APP: 70014;
    /** the app has no key for this form of ticket */
    readonly SIG_NO_METHOD: 70015;
    /** the app has no public key for tickets of form v1 */
    readonly SIG_NO_KEY: 70016;
    /** no such sdkappid */
    readonly APP_NOT_FOUND: 70020;
    /** too many failed tickets for this account; wait one minute */
    readonly SIG_TRIES: 70050;
    /** the ticket was revoked by a kick; make a new one */
    readonly SIG_REVOKED: 70052;
    /** the account does not exist */
    readonly ACCOUNT_UNKNOWN: 70107;
    /** the session is over; sign in again */
    readonly SESSION_OVER: 70221;
    /** a parameter is missing or invalid */
    readonly ACCOUNT_PARAM: 70402;
    /** the caller is not an app administrator */
    readonly ACCOUNT_NOT_ADMIN: 70403;
    /** internal error; try again */
    readonly ACCOUNT_INTERNAL: 70500;
    /** the profile request is invalid; see ErrorInfo */
    readonly PROFILE_BAD: 40001;
    /** no account is given */
    readonly PROFILE_NO_ACCOUNT: 40002;
    /** the account does not exist */
    readonly PROFILE_UNKNOWN: 40003;
    /** internal error; try again */
    readonly PROFILE_INTERNAL: 40006;
    /** no right to read that field */
    readonly PROFILE_READ: 40007;
    /** no right to write that field */
    readonly PROFILE_WRITE: 40008;
    /** no such Tag */
    readonly PROFILE_NO_TAG: 40009;
    /** the value is over 500 bytes */
    readonly PROFILE_TOO_LONG: 40601;
    /** that value is not allowed for this field */
    readonly PROFILE_VALUE: 40605;
    /** the value has the wrong type */
    readonly PROFILE_TYPE: 40610;
    /** the request is malformed */
    readonly C2C_PACKET: 20001;
    /** sender or receiver is invalid or not imported */
    readonly C2C_ACCOUNT: 20003;
    /** no answer in time inside the cluster; try again */
    readonly C2C_NETWORK: 20004;
    /** internal error; try again */
    readonly C2C_INTERNAL: 20005;
    /** the sender is on the receiver's black list */
    readonly C2C_BLACKLISTED: 20007;
    /** the sender is muted */
    readonly C2C_MUTED: 20012;
    /** Fail to Parse json data of body, Please check it */
    readonly REST_JSON: 90001;
    /** MsgBody is not in message format or has a bad element */
    readonly REST_MSG_FORMAT: 90002;
    /** To_Account is missing or does not exist */
    readonly REST_TO: 90003;
    /** MsgSeq is not an integer */
    readonly REST_MSG_SEQ: 90004;
    /** MsgRandom is missing or not an integer */
    readonly REST_MSG_RANDOM: 90005;
    /** MsgTimeStamp is not an integer */
    readonly REST_TIMESTAMP: 90006;
    /** MsgBody is not an array */
    readonly REST_BODY_ARRAY: 90007;
    /** From_Account is not a string or does not exist */
    readonly REST_FROM: 90008;
    /** administrator rights are needed */
    readonly REST_ADMIN: 90009;
    /** an element of MsgBody has an unknown MsgType */
    readonly REST_NOT_MSG: 90010;
    /** more than 500 targets */
    readonly REST_TARGETS: 90011;
    /** To_Account is not registered */
    readonly REST_TO_UNKNOWN: 90012;
    /** MsgLifeTime is over 604800 seconds */
    readonly REST_LIFE_BIG: 90026;
    /** To_Account is not an array */
    readonly REST_TO_ARRAY: 90028;
    /** To_Account is empty */
    readonly REST_TO_EMPTY: 90029;
    /** SyncOtherMachine is not an integer */
    readonly REST_SYNC: 90031;
    /** OfflinePushInfo has a wrong type */
    readonly REST_PUSH_INFO: 90043;
    /** MsgLifeTime is not an integer */
    readonly REST_LIFE_TYPE: 90044;
    /** the account does not exist */
    readonly REST_ACCOUNT: 90048;
    /** the message key is invalid */
    readonly REST_MSG_KEY: 90054;
    /** the message is too long for a batch; at most 9 KB */
    readonly REST_BATCH_LONG: 90055;
    /** internal error; try again */
    readonly REST_INTERNAL: 91000;
    /** the JSON packet is too long */
    readonly REST_TOO_LONG: 93000;
    /** internal error; try again */
    readonly GROUP_INTERNAL: 10002;
    /** no such command */
    readonly GROUP_NO_COMMAND: 10003;
    /** a parameter is missing or invalid */
    readonly GROUP_PARAM: 10004;
    /** too many accounts in the request */
    readonly GROUP_TOO_MANY: 10005;
    /** too frequent; slow down */
    readonly GROUP_RATE: 10006;
    /** not permitted, or the group's type does not support it */
    readonly GROUP_DENIED: 10007;
    /** the owner cannot quit; hand the group over or dissolve it */
    readonly GROUP_OWNER_QUIT: 10009;
    /** the group does not exist */
    readonly GROUP_UNKNOWN: 10010;
    /** the body is not valid JSON */
    readonly GROUP_JSON: 10011;
    /** already a member */
    readonly GROUP_MEMBER_ALREADY: 10013;
    /** the group is full */
    readonly GROUP_FULL: 10014;
    /** the group id is invalid */
    readonly GROUP_ID_BAD: 10015;
    /** muted in this group */
    readonly GROUP_MUTED: 10017;
    /** the answer would exceed 1 MB; page or filter */
    readonly GROUP_ANSWER_BIG: 10018;
    /** the account does not exist */
    readonly GROUP_ACCOUNT: 10019;
    /** the group id is in use */
    readonly GROUP_ID_TAKEN: 10021;
    /** the group's message rate is exceeded */
    readonly GROUP_MSG_RATE: 10023;
    /** the group id is in use by a group of the same owner */
    readonly GROUP_ID_OWN: 10025;
    /** groups of this type keep no history */
    readonly GROUP_NO_HISTORY: 10044;
    /** the app's number of groups is used up; raise max_groups */
    readonly GROUP_QUOTA: 10058;
    /** the cluster is overloaded; try again in a moment */
    readonly BUSY: 200001;
    /** the disk of this shard is full; free space, then send again */
    readonly DISK_FULL: 200002;
    /** the shard of this conversation is away; try again */
    readonly UNAVAILABLE: 200003;
    /** this client id was used for another message; take a new one */
    readonly CLIENT_ID_REUSED: 200004;
    /** the frame is over the limit of the gateway */
    readonly FRAME_TOO_BIG: 200005;
    /** the bytes are no frame of this protocol */
    readonly FRAME_MALFORMED: 200006;
    /** the message is empty; give at least one element with content */
    readonly MSG_EMPTY: 200007;
    /** a text is not valid UTF-8; convert it before sending */
    readonly NOT_UTF8: 200008;
    /** the message body does not decode or has an element without a kind */
    readonly MSG_INVALID: 200009;
    /** a parameter is missing or invalid */
    readonly PARAM: 200010;
    /** this gateway does not know that request; update it or the SDK */
    readonly KIND_UNKNOWN: 200011;
    /** the gateway is full; try another */
    readonly TOO_MANY_LINKS: 200012;
    /** too many connections from this address; slow down */
    readonly CONNECT_RATE: 200013;
    /** no heartbeat in time; resume the session */
    readonly HEARTBEAT: 200014;
    /** the client reads too slowly; resume the session */
    readonly SLOW_READER: 200015;
};
