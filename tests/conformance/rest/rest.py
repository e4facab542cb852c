"""A REST v4 caller as app servers are: signs a ticket, posts JSON, looks at ErrorCode."""
import base64
import hashlib
import hmac
import http.client
import json
import time
import urllib.parse
import zlib


def usersig(sdkappid, identifier, key, now=None, expire=86400):
    """A v2 ticket, made from the reference alone (3.1)."""
    now = int(time.time() if now is None else now)
    text = (f"TLS.identifier:{identifier}\nTLS.sdkappid:{sdkappid}\n"
            f"TLS.time:{now}\nTLS.expire:{expire}\n")
    mac = hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()
    ticket = {"TLS.ver": "2.0", "TLS.identifier": str(identifier), "TLS.sdkappid": int(sdkappid),
              "TLS.expire": expire, "TLS.time": now, "TLS.sig": base64.b64encode(mac).decode()}
    packed = base64.b64encode(zlib.compress(json.dumps(ticket).encode())).decode()
    return packed.replace("+", "*").replace("/", "-").replace("=", "_")


class Rest:
    """One keep-alive connection to the REST address of a cluster, as one administrator."""

    def __init__(self, cluster):
        self.address = urllib.parse.urlsplit(cluster["rest"])
        self.app = cluster["apps"][0]
        self.connection = http.client.HTTPConnection(self.address.netloc, timeout=30)
        self.sig = usersig(self.app["sdkappid"], self.app["admin"], self.app["key"])

    def close(self):
        self.connection.close()

    def http(self, method, target, body=b"", headers=()):
        self.connection.request(method, target, body, dict(headers))
        answer = self.connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()

    def target(self, command, **query):
        base = {"sdkappid": self.app["sdkappid"], "identifier": self.app["admin"],
                "usersig": self.sig, "random": 4294967295, "contenttype": "json"}
        base.update(query)
        base = {name: value for name, value in base.items() if value is not None}
        return f"/v4/{command}?{urllib.parse.urlencode(base)}"

    def call(self, command, body, **query):
        """The answer of a command; checks what every answer has."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        status, headers, text = self.http("POST", self.target(command, **query), data)
        assert status == 200, (status, text)
        assert headers["Content-Type"].startswith("application/json")
        answer = json.loads(text)
        assert type(answer["ErrorCode"]) is int
        assert isinstance(answer["ErrorInfo"], str)
        assert answer["ActionStatus"] == ("OK" if answer["ErrorCode"] == 0 else "FAIL"), answer
        assert (answer["ErrorInfo"] == "") == (answer["ErrorCode"] == 0), answer
        return answer

    def ok(self, command, body, **query):
        answer = self.call(command, body, **query)
        assert answer["ErrorCode"] == 0, (command, body, answer)
        return answer

    def code(self, command, body, **query):
        return self.call(command, body, **query)["ErrorCode"]
