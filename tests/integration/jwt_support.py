"""An identity provider for tests: keys of `openssl`, their JWK Set, and tokens signed by them."""

import base64
import json
import shutil
import subprocess
import time

OPENSSL = shutil.which("openssl")


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*arguments, data=None):
    return subprocess.run([OPENSSL, *arguments], input=data, capture_output=True, check=True).stdout


def integers_of(der):
    """The integers of a DER sequence of integers, each shorter than 128 bytes."""
    at = 2 if der[1] < 128 else 2 + (der[1] & 127)
    while at < len(der):
        size = der[at + 1]
        yield int.from_bytes(der[at + 2:at + 2 + size], "big")
        at += 2 + size


class SigningKey:
    """An RSA, P-256 or Ed25519 key by the name of its algorithm."""

    def __init__(self, folder, kid, algorithm="ES256"):
        self.kid = kid
        self.algorithm = algorithm
        self.file = f"{folder}/{kid}.pem"
        kinds = {"ES256": ("EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
                 "EdDSA": ("ED25519",), "RS256": ("RSA", "-pkeyopt", "rsa_keygen_bits:2048")}
        openssl("genpkey", "-algorithm", *kinds[algorithm], "-out", self.file)

    def jwk(self, **more):
        der = openssl("pkey", "-in", self.file, "-pubout", "-outform", "DER")
        if self.algorithm == "ES256":
            of = {"kty": "EC", "crv": "P-256", "x": base64url(der[-64:-32]), "y": base64url(der[-32:])}
        elif self.algorithm == "EdDSA":
            of = {"kty": "OKP", "crv": "Ed25519", "x": base64url(der[-32:])}
        else:
            text = openssl("rsa", "-in", self.file, "-noout", "-modulus").decode()
            of = {"kty": "RSA", "n": base64url(bytes.fromhex(text.strip().split("=")[1])), "e": "AQAB"}
        return {**of, "kid": self.kid, "use": "sig", "alg": self.algorithm, **more}

    def sign(self, data):
        if self.algorithm == "EdDSA":
            source = f"{self.file}.data"
            with open(source, "wb") as file:
                file.write(data)
            return openssl("pkeyutl", "-sign", "-inkey", self.file, "-rawin", "-in", source)
        made = openssl("dgst", "-sha256", "-sign", self.file, data=data)
        if self.algorithm == "RS256":
            return made
        return b"".join(it.to_bytes(32, "big") for it in integers_of(made))

    def token(self, header=None, **claims):
        """Of a good token, with claims put in the place of others; None leaves one out."""
        now = int(time.time())
        said = {"iss": "https://id.example", "sub": "alice", "aud": "orderproc", "iat": now,
                "exp": now + 3600, "scope": "orders:read orders:write", **claims}
        said = {name: value for name, value in said.items() if value is not None}
        head = {"alg": self.algorithm, "kid": self.kid, "typ": "at+jwt", **(header or {})}
        text = ".".join(base64url(json.dumps(it).encode()) for it in (head, said))
        return f"{text}.{base64url(self.sign(text.encode()))}"


def write_keys(path, *keys):
    with open(path, "w", encoding="ascii") as file:
        json.dump({"keys": [it.jwk() for it in keys]}, file)
