// Prints one ticket a line, as JSON: {kind, user, sig}.
// usage: node sign.js SDKAPPID KEY USER...
const { Api } = require("tls-sig-api-v2");

const [sdkappid, key, ...users] = process.argv.slice(2);
const api = new Api(Number(sdkappid), key);
const hour = 3600;

const print = (kind, user, sig) => console.log(JSON.stringify({ kind, user, sig }));

for (const user of users) {
  const sig = api.genUserSig ? api.genUserSig(user, hour) : api.genSig(user, hour);
  print("plain", user, sig);
  if (api.genPrivateMapKey) {
    print("room", user, api.genPrivateMapKey(user, hour, 10000, 255));
    print("text room", user, api.genPrivateMapKeyWithStringRoomID(user, hour, "room one", 255));
  }
}
