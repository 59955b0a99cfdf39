"""Three nats-servers that are one."""

import shutil
from pathlib import Path

from vonggac.embedded import free_port
from vonggac.testing.processes import ForgetfulServer


class Node(ForgetfulServer):
    """One server of a cluster: it knows the routes to the others, and all have the same passwords."""

    def __init__(self, folder: Path, port: int, number: int, routes: list[int], *, anonymous: bool) -> None:
        super().__init__(folder, port, anonymous=anonymous, monitored=True)
        self.name, self._number, self._routes = f"n{number}", number, routes

    def _write_configuration(self) -> None:
        super()._write_configuration()
        own = self._routes[self._number]
        others = ", ".join(f'"nats://127.0.0.1:{route}"' for route in self._routes if route != own)
        lines = [
            f"server_name: {self.name}",
            f'cluster {{ name: test, listen: "127.0.0.1:{own}", routes: [{others}] }}',
            "",
        ]
        with (self.folder / "place.conf").open("a", encoding="utf-8") as place:
            place.write("\n".join(lines))


def nodes(folders: list[Path], *, first_port: int | None = None, anonymous: bool = True) -> list[Node]:
    """Servers with a folder each, not yet started; they find each other once most of them run."""
    routes = [free_port() for _ in folders]
    ports = [first_port or free_port(), *(free_port() for _ in folders[1:])]
    made = [
        Node(folder, port, number, routes, anonymous=anonymous)
        for number, (folder, port) in enumerate(zip(folders, ports, strict=True))
    ]
    made[0]._write_configuration()
    for folder in folders[1:]:
        shutil.copytree(folders[0] / "secrets", folder / "secrets")
    return made
