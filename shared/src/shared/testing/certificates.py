"""Certificates of a test: a CA, a server's certificate for `localhost`, and a stranger's CA."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files in a folder of the test; `ca` signed the server's certificate, `stranger` nothing."""

    ca: Path
    stranger: Path
    chain: Path
    key: Path

    def server_context(self) -> ssl.SSLContext:
        """The TLS context of a server on `localhost`."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.chain, self.key)
        return context


def make_certificates(folder: Path) -> Certificates:
    """Make them, the key readable by its owner only."""
    made = Certificates(*(folder / name for name in ("ca.pem", "stranger.pem", "chain.pem", "key")))
    authority = trustme.CA()
    server = authority.issue_cert("localhost")
    authority.cert_pem.write_to_path(str(made.ca))
    trustme.CA().cert_pem.write_to_path(str(made.stranger))
    for part in server.cert_chain_pems:
        part.write_to_path(str(made.chain), append=True)
    server.private_key_pem.write_to_path(str(made.key))
    made.key.chmod(0o600)
    return made
