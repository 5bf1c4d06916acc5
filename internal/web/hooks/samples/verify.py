import base64
import hashlib
import hmac
import time


def verify(secret: str, headers, body: bytes) -> bool:
    """body has the bytes as they arrived; headers are found whatever their case, as Flask's are."""
    message, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > 300:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message}.{timestamp}.".encode() + body
    expected = b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    return any(hmac.compare_digest(expected, given.encode()) for given in headers["webhook-signature"].split())
