"""A CA of one's own, and what it vouches for."""

import os
import shutil
import subprocess

OPENSSL = shutil.which("openssl")


def openssl(*arguments):
    subprocess.run([OPENSSL, *arguments], check=True, capture_output=True)


class Authority:
    """A CA of one's own, as docs/security.md makes it."""

    def __init__(self, folder, name="ca"):
        self.folder = folder
        self.certificate = f"{folder}/{name}.pem"
        self.key = f"{folder}/{name}.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", f"/CN={name}", "-days", "30", "-keyout", self.key, "-out", self.certificate)

    def issue(self, name, days="30", usage="serverAuth", names="DNS:localhost,IP:127.0.0.1"):
        base = f"{self.folder}/{name}"
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                f"/CN={name}", "-keyout", f"{base}.key", "-out", f"{base}.csr")
        with open(f"{base}.ext", "w", encoding="ascii") as file:
            file.write(f"subjectAltName={names}\nextendedKeyUsage={usage}\n")
        openssl("x509", "-req", "-in", f"{base}.csr", "-CA", self.certificate, "-CAkey", self.key,
                "-CAcreateserial", "-days", days, "-extfile", f"{base}.ext", "-out", f"{base}.pem")
        os.chmod(f"{base}.key", 0o600)
        return f"{base}.pem", f"{base}.key"
