"""What can go wrong while starting servers of our own, said to the person at the terminal."""

from __future__ import annotations

from pathlib import Path


class EmbeddedError(Exception):
    """`imprimatur up` cannot go on; the message says why and what to do."""


class EmbeddedUnavailable(EmbeddedError):
    """No bundled server runs on this machine; a server of one's own does as well."""

    def __init__(self, server: str, variable: str, example: str, reason: str) -> None:
        super().__init__(
            f"The bundled {server} cannot run here: {reason}.\n"
            f"Use a {server} of your own and give its address:\n"
            f"    export {variable}={example}"
        )
        self.server = server
        self.variable = variable


class DataDirectoryBusy(EmbeddedError):
    """Another `up` holds this data directory."""

    def __init__(self, data_dir: Path, holder: str) -> None:
        super().__init__(
            f"{data_dir} is in use by another `imprimatur up`{holder}.\n"
            "Stop that one, or give this one a directory of its own: imprimatur up --data DIR"
        )


class PortTaken(EmbeddedError):
    """Somebody else listens where the web server was told to."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"Port {port} on {host} is taken by another program.\n"
            "Stop it, or choose another port: imprimatur up --port N"
        )


class ChildFailed(EmbeddedError):
    """A child process died, or did not become ready in time."""

    def __init__(self, name: str, what: str, log: Path, tail: str) -> None:
        message = f"{name} {what}. Its log is {log}"
        super().__init__(f"{message}; the last lines:\n\n{tail}" if tail else message)
        self.name = name


class DemoRefused(EmbeddedError):
    """The demo's logins are public knowledge, so it never goes beside real data."""

    def __init__(self) -> None:
        super().__init__(
            "The demo tenant has logins that everybody knows, so it is not added in production.\n"
            "Leave IMPRIMATUR_ENVIRONMENT unset to try it here, or start without --demo."
        )


class PreparationFailed(EmbeddedError):
    """Something that is done before the platform starts broke off; why, it has said itself."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} could not be prepared; the reason stands above. Nothing of it was kept: start\n"
            "again to try again."
        )
