"""The services of docker-compose.yml as processes of this machine: the same commands, environment, files, health checks and
order. Paths of a container become paths below one directory, its port a port of loopback, other services' names loopback.

Postgres alone is begun otherwise, by tests/tools/postgres.sh; it is given the password and the database that its image would
make of the same environment. What an engine adds around a process (namespaces, a root that cannot be written to, users) is
not there.
"""

import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

from composed import TOP, is_once, mounts, published

PATIENCE = 120
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}


def until(what, seen, patience=PATIENCE):
    """Waits for a condition and answers what it was seen by."""
    give_up_at = time.monotonic() + patience
    while not (found := seen()):
        assert time.monotonic() < give_up_at, f"{what}: not within {patience} s"
        time.sleep(0.05)
    return found


def seconds(text):
    return sum(float(number) * UNITS[unit] for number, unit in re.findall(r"([\d.]+)(ms|s|m|h)", text))


class Processes:
    def __init__(self, composed, scratch, programs):
        self.composed = composed
        self.services = composed["services"]
        self.scratch = scratch
        self.path = f"{programs}:/usr/local/bin:/usr/bin:/bin"
        self.ports = {name: self.port_of(service) for name, service in self.services.items()}
        (scratch / "files").mkdir(mode=0o700)
        self.running = {}
        self.ended = set()
        self.postgres = None

    @staticmethod
    def port_of(service):
        """The port inside, and one of this machine's that nobody has."""
        inside = [port for _, port in published(service)] + service.get("expose", [])
        if not inside:
            return None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            return inside[0], free.getsockname()[1]

    # What becomes of a text of a service.

    def places(self, name):
        """What a path of the container is here."""
        service = self.services[name]
        places = {}
        for source, target, _ in mounts(service):
            here = Path(source)
            if not here.is_absolute():
                here = self.scratch / "volumes" / source
                here.mkdir(parents=True, exist_ok=True, mode=0o700)
            elif here.is_file():
                here = self.copied(name, here)
            places[target] = here
        for target in service.get("tmpfs", []):
            here = self.scratch / "tmpfs" / name / target.strip("/")
            here.mkdir(parents=True, exist_ok=True)
            places[target] = here
        for secret in service.get("secrets", []):
            file = Path(self.composed["secrets"][secret["source"]]["file"])
            places[f"/run/secrets/{secret['source']}"] = self.copied(name, file)
        return places

    def copied(self, name, file):
        """A file that a service is given, with what it names found here."""
        return self.scratch / "files" / name / file.name

    def give_files(self, name):
        service = self.services[name]
        files = [Path(source) for source, _, _ in mounts(service) if Path(source).is_file()]
        files += [Path(self.composed["secrets"][secret["source"]]["file"]) for secret in service.get("secrets", [])]
        for file in files:
            here = self.copied(name, file)
            here.parent.mkdir(parents=True, exist_ok=True)
            if here.exists():
                here.chmod(0o600)
            here.write_text(self.here(name, file.read_text()))
            here.chmod(0o444)

    def here(self, name, text):
        """A text of a service, with paths, names and ports as they are on this machine. Everything is found at once, so that
        nothing is replaced twice."""
        found = {re.escape(path) + r"(?![\w-])": str(place) for path, place in self.places(name).items()}
        own = self.ports[name]
        for other, port in self.ports.items():
            if port:
                found[rf"\b{re.escape(other)}:{port[0]}\b"] = f"127.0.0.1:{port[1]}"
        if own:
            found[r"\b0\.0\.0\.0\b"] = "127.0.0.1"
            found[rf"\b{own[0]}\b"] = str(own[1])
        words = sorted(found, key=len, reverse=True)
        whole = re.compile("|".join(f"(?P<w{nth}>{word})" for nth, word in enumerate(words)))
        return whole.sub(lambda match: found[words[int(match.lastgroup[1:])]], text)

    def environment(self, name):
        given = self.services[name].get("environment", {})
        return {"PATH": self.path, **{key: self.here(name, str(value)) for key, value in given.items()}}

    def inside(self, name, words, **more):
        """Runs a command as the engine would inside a service."""
        words = [self.here(name, word) for word in words]
        return subprocess.run(
            words, env=self.environment(name), cwd=self.scratch, stdin=subprocess.DEVNULL, capture_output=True, text=True, **more
        )

    # Beginning, asking and ending.

    def up(self, name):
        """Begins a service when what it depends on is as far as it says."""
        if name in self.running or name in self.ended:
            return
        for other, how in self.services[name].get("depends_on", {}).items():
            self.up(other)
            if how["condition"] == "service_healthy":
                until(f"{other} is well", lambda: self.is_well(other))
        self.begin(name)

    def begin(self, name):
        service = self.services[name]
        self.give_files(name)
        if name == "postgres":
            self.begin_postgres()
        elif is_once(service):
            done = self.inside(name, service["command"], timeout=PATIENCE)
            assert done.returncode == 0, f"{name} ended with {done.returncode}: {done.stdout}{done.stderr}"
            self.ended.add(name)
        else:
            with open(self.log(name), "ab") as log:
                self.running[name] = subprocess.Popen(
                    [self.here(name, word) for word in service["command"]],
                    env=self.environment(name),
                    cwd=self.scratch,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )

    def log(self, name):
        return self.scratch / f"{name}.log"

    def begin_postgres(self):
        """As its image: a role with this password, and a database of it."""
        said = self.environment("postgres")
        self.postgres = self.scratch / "postgres"
        begun = subprocess.run([TOP / "tests/tools/postgres.sh", "start", self.postgres], capture_output=True, text=True)
        assert begun.returncode == 0, begun.stderr
        address = begun.stdout.strip()
        self.ports["postgres"] = (self.ports["postgres"][0], int(re.search(r":(\d+)/", address).group(1)))
        user, database = said["POSTGRES_USER"], said["POSTGRES_DB"]
        password = Path(said["POSTGRES_PASSWORD_FILE"]).read_text().strip()
        asked = subprocess.run(
            ["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", address],
            input=f"CREATE DATABASE {database} OWNER {user} ENCODING 'UTF8' TEMPLATE template0;\n"
            f"ALTER ROLE {user} PASSWORD '{password}';\n",
            capture_output=True,
            text=True,
        )
        assert asked.returncode == 0, asked.stderr
        self.running["postgres"] = None

    def is_well(self, name):
        """Its own health check, by its own time-out."""
        process = self.running.get(name)
        if process is not None and process.poll() is not None:
            raise AssertionError(f"{name} ended with {process.returncode}: {self.log(name).read_text()[-4000:]}")
        check = self.services[name]["healthcheck"]
        kind, *words = check["test"]
        words = {"CMD": words, "CMD-SHELL": ["sh", "-c", *words]}[kind]
        try:
            return self.inside(name, words, timeout=seconds(check["timeout"])).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def kill(self, name):
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def stop(self, name):
        """In good order, within what its grace period allows."""
        process = self.running.pop(name)
        if name == "postgres":
            subprocess.run([TOP / "tests/tools/postgres.sh", "stop", self.postgres], check=True)
            return
        process.send_signal(signal.SIGTERM)
        grace = seconds(self.services[name].get("stop_grace_period", "10s"))
        assert process.wait(grace) == 0, f"{name} ended with {process.returncode}: {self.log(name).read_text()[-4000:]}"

    def leave_nothing(self):
        """Whatever happened: what was begun here is ended, by its id."""
        for name, process in self.running.items():
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
        if self.postgres is not None and os.path.exists(self.postgres / "data" / "postmaster.pid"):
            subprocess.run([TOP / "tests/tools/postgres.sh", "kill", self.postgres], check=False)
