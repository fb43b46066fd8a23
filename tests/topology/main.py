"""docker-compose.yml: read by the compose tool, held against the rules of the house, and played as plain processes."""

import copy
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from composed import TOP, context, faults, image_faults, is_once, mounts, read
from processes import Processes, until

ROUTERS = ["router-1", "router-2"]


def rules(composed):
    assert faults(composed) == [], faults(composed)
    dockerfile, toolchain = (TOP / "Dockerfile").read_text(), (TOP / "rust-toolchain.toml").read_text()
    engine = composed["services"]["postgres"]["image"]
    assert list(image_faults(dockerfile, toolchain, engine)) == [], list(image_faults(dockerfile, toolchain, engine))
    for name in ROUTERS:
        assert composed["services"][name]["secrets"], f"{name} is given nothing"
    files = {name: Path(secret["file"]).name for name, secret in composed["secrets"].items()}
    assert all(name == file for name, file in files.items()), files
    volumes = [source for name in ROUTERS for source, target, _ in mounts(composed["services"][name]) if target == "/var/lib/hotline"]
    assert len(set(volumes)) == len(ROUTERS), f"routers share a data directory: {volumes}"
    asked = ["git", "-c", "safe.directory=*", "-C", TOP, "check-ignore", "--quiet", "secrets/seal-key"]
    ignored = subprocess.run(asked, check=False)
    assert ignored.returncode == 0, "git does not ignore the directory of secrets"


def rules_are_seen_to_be_broken(composed):
    """Each rule finds what was made wrong for it."""

    def broken(service, change):
        bad = copy.deepcopy(composed)
        change(bad["services"][service])
        return faults(bad)

    wrong = [
        ("redis", lambda it: it.pop("read_only"), "root"),
        ("router-1", lambda it: it.update(cap_add=["NET_ADMIN"]), "capabilities"),
        ("postgres", lambda it: it.pop("security_opt"), "become more"),
        ("postgres", lambda it: it.update(image="postgres"), "one release"),
        ("redis", lambda it: it.pop("user"), "as root"),
        ("router-2", lambda it: it.pop("healthcheck"), "how it is"),
        ("router-2", lambda it: it.update(ports=["7430:7430"]), "beyond this machine"),
        ("migrate", lambda it: it.update(environment={"PGPASSWORD": "x"}), "secret in its environment"),
        ("certs", lambda it: it.update(volumes=["/var/run/docker.sock:/s"]), "commands the engine"),
        ("router-1", lambda it: it.update(depends_on={"redis": {}}), "no condition"),
    ]
    for service, change, word in wrong:
        found = broken(service, change)
        assert any(word in fault and fault.startswith(service) for fault in found), (service, word, found)
    bad = list(image_faults("FROM rust:1.0.0\nRUN x\n", 'channel = "1.95.0"', "postgres:14"))
    assert len(bad) == 4, bad


def the_image_can_be_built_from_what_it_is_given(scratch):
    """Cargo finds every manifest in the files that .dockerignore lets in, and they are all that is compiled in."""
    copy_of = scratch / "context"
    for place in context(TOP):
        target = copy_of / place.relative_to(TOP)
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-r", place, target], check=True)
    asked = ["cargo", "metadata", "--locked", "--offline", "--format-version", "1", "--no-deps"]
    known = json.loads(subprocess.run(asked, cwd=copy_of, check=True, capture_output=True, text=True).stdout)
    for target in (target for package in known["packages"] for target in package["targets"]):
        assert not set(target["kind"]) & {"lib", "bin", "custom-build"} or os.path.exists(target["src_path"]), target
    binary = [it["name"] for package in known["packages"] for it in package["targets"] if it["kind"] == ["bin"]]
    assert "hotline" in binary, binary
    sources = [path for path in copy_of.rglob("*.rs") if "tests" not in path.parts]
    for source in sources:
        for quoted in source.read_text().split('include_str!("')[1:]:
            included = source.parent / quoted.split('"')[0]
            assert included.exists(), f"{source} compiles {included} in, which the image is not given"


def operators(processes, router, at):
    """Everybody whom a router knows, asked from inside a service."""
    asked = processes.inside(router, ["hotline", "operator", "list", "-o", "name", *at], timeout=60)
    assert asked.returncode == 0, asked.stderr
    return asked.stdout.split()


def add(processes, name, at):
    asked = processes.inside("router-1", ["hotline", "operator", "add", name, "--team", "volunteers", *at], timeout=60)
    assert asked.returncode == 0, asked.stderr


def at(router):
    """At which router, with the administrator's token: the router that was first has it."""
    return [
        *["--server", f"https://{router}:7430", "--ca", "/etc/hotline/certs/ca.pem"],
        *["--token-file", "/var/lib/hotline/tokens.json"],
    ]


def play(processes):
    for name in processes.services:
        processes.up(name)
    lasting = [name for name, service in processes.services.items() if not is_once(service)]
    for name in lasting:
        until(f"{name} is well", lambda: processes.is_well(name))
    print(f"up and well: {', '.join(lasting)}; done: {', '.join(sorted(processes.ended))}")

    add(processes, "vol-1", [])
    until("router-2 knows it", lambda: "vol-1" in operators(processes, "router-1", at("router-2")))
    add(processes, "vol-2", at("router-2"))
    until("router-1 knows it", lambda: "vol-2" in operators(processes, "router-1", []))
    print("what was done at either router is known at the other")

    processes.kill("router-1")
    dead = processes.inside("router-1", processes.services["router-1"]["healthcheck"]["test"][1:], timeout=60)
    assert dead.returncode == 1 and "does not answer" in dead.stderr, dead
    assert processes.is_well("router-2"), "it goes on without the other"
    add(processes, "vol-4", at("router-2"))
    print("router-1 is dead and said to be; router-2 is well and goes on")

    for name in ["migrate", "certs", "router-1"]:
        processes.begin(name)
    until("router-1 is well again", lambda: processes.is_well("router-1"))
    until("router-1 knows what was done meanwhile", lambda: "vol-4" in operators(processes, "router-1", []))
    assert processes.is_well("router-2"), "under the certificate that was made anew, or the one before"
    print("router-1 is back and knows what was done meanwhile")

    for name in reversed(lasting):
        processes.stop(name)
    print("everything ended in good order")


def main():
    programs = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="hotline-topology-", ignore_cleanup_errors=True) as place:
        tried(programs, Path(place))


def tried(programs, scratch):
    # Postgres may run as another user.
    scratch.chmod(0o755)
    secrets = scratch / "secrets"
    subprocess.run([TOP / "config/secrets.sh", secrets], check=True)
    made = {file.name: file.read_text() for file in secrets.iterdir()}
    subprocess.run([TOP / "config/secrets.sh", secrets], check=True)
    assert made == {file.name: file.read_text() for file in secrets.iterdir()}, "what was there was made again"
    composed = read(secrets)
    rules(composed)
    rules_are_seen_to_be_broken(composed)
    the_image_can_be_built_from_what_it_is_given(scratch)
    print("docker-compose config understands docker-compose.yml, and it keeps the rules")
    processes = Processes(composed, scratch, programs)
    try:
        play(processes)
    except BaseException:
        for log in sorted(scratch.glob("*.log")):
            print(f"---- {log.name}\n{log.read_text()[-3000:]}", file=sys.stderr)
        raise
    finally:
        processes.leave_nothing()


main()
