"""What docker-compose.yml says, as the compose tool itself understands it, and the rules that each of its services keeps."""

import re
import subprocess
from pathlib import Path

import yaml

TOP = Path(__file__).resolve().parents[2]


def read(secrets):
    """The whole of it, with everything filled in. The tool fails on what it does not understand."""
    asked = subprocess.run(
        ["docker-compose", "--file", TOP / "docker-compose.yml", "config"],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOTLINE_SECRETS": str(secrets)},
        capture_output=True,
        text=True,
    )
    assert asked.returncode == 0, f"docker-compose config: {asked.stderr}"
    assert not asked.stderr.strip(), f"docker-compose config is not content: {asked.stderr}"
    return plain_text(yaml.safe_load(asked.stdout))


def plain_text(value):
    """A dollar sign is doubled for the tool, as it was in the file."""
    if isinstance(value, dict):
        return {key: plain_text(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain_text(inner) for inner in value]
    return value.replace("$$", "$") if isinstance(value, str) else value


def is_once(service):
    """Whether it does one thing and ends."""
    return service.get("restart") == "no"


def mounts(service):
    """Where it finds which volume or file, and whether it may write there. Later releases of the tool take texts apart."""
    for mount in service.get("volumes", []):
        if isinstance(mount, dict):
            yield mount["source"], mount["target"], not mount.get("read_only", False)
        else:
            source, target, mode = (mount.split(":") + ["rw"])[:3]
            yield source, target, mode == "rw"


def published(service):
    """At which address of this machine, and which of its ports."""
    for port in service.get("ports", []):
        if isinstance(port, dict):
            yield port.get("host_ip", ""), str(port["target"])
        else:
            address, inside = str(port).split("/")[0].rsplit(":", 1) if ":" in str(port) else ("", str(port))
            yield address.rsplit(":", 1)[0] if ":" in address else "", inside


def faults(composed):
    """Everything that is not as it should be."""
    return [f"{name}: {fault}" for name, service in composed["services"].items() for fault in service_faults(service)] + [
        f"the secret {name} is not a file: {secret}" for name, secret in composed["secrets"].items() if "file" not in secret
    ]


def service_faults(service):
    if service.get("read_only") is not True:
        yield "its root can be written to"
    if service.get("cap_drop") != ["ALL"] or service.get("cap_add"):
        yield "it keeps capabilities"
    if "no-new-privileges:true" not in service.get("security_opt", []) or service.get("privileged"):
        yield "it may become more than it is"
    if "image" not in service or service["image"].endswith(":latest") or ":" not in service["image"]:
        yield "its image is not of one release"
    if "restart" not in service:
        yield "nobody says whether it is started again"
    if not is_once(service) and "test" not in service.get("healthcheck", {}):
        yield "nobody asks how it is"
    if "build" not in service and "user" not in service:
        yield "it may run as root"
    for address, port in published(service):
        if address != "127.0.0.1":
            yield f"it is published beyond this machine: {port}"
    for key, value in service.get("environment", {}).items():
        if re.search("PASSWORD|SECRET|KEY|TOKEN", key) and not str(value).startswith("/run/secrets/"):
            yield f"there is a secret in its environment: {key}"
    for source, target, may_write in mounts(service):
        if source.startswith(("/", ".")) and may_write:
            yield f"it may write to this machine's {source}"
        if source.endswith("docker.sock"):
            yield f"it commands the engine by {target}"
    for other, how in service.get("depends_on", {}).items():
        if how.get("condition") not in ("service_started", "service_healthy", "service_completed_successfully"):
            yield f"it waits for {other} under no condition"


def image_faults(dockerfile, toolchain, engine):
    """What is built is built by the compiler of the tree, and ends as nobody in particular."""
    channel = re.search(r'channel = "([\d.]+)"', toolchain).group(1)
    stages = re.findall(r"(?m)^FROM (\S+)", dockerfile)
    if stages[0].split(":")[1].split("-")[0] != channel:
        yield f"the Dockerfile builds with {stages[0]}, the tree with {channel}"
    if len(stages) < 2 or "--mount=type=cache" not in dockerfile:
        yield "it has no stages, or no cache"
    if not re.search(r"(?m)^USER (?!root)\S+", dockerfile.split("FROM ")[-1]):
        yield "what it makes runs as root"
    if not re.fullmatch(r"postgres:(1[5-9]|[2-9]\d)\b.*", engine):
        yield f"{engine} is no release that is known to do"


def context(top):
    """The files that an image is built from: .dockerignore lets in what it names with `!`."""
    lines = [line.strip() for line in (top / ".dockerignore").read_text().splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    assert lines[0] == "*" and all(line.startswith("!") for line in lines[1:]), "the first line leaves everything out"
    for line in lines[1:]:
        place = top / line[1:]
        assert place.exists(), f".dockerignore lets in {place}, which is not there"
        yield place
