"""Who is free, read from Redis alone: docs/redis.md and a socket are all it takes.

    python3 who_is_free.py HOST PORT SITE [line:LINE | team:TEAM | all]
"""

import socket
import sys


def ask(lines, *words):
    """One command in Redis's own protocol; the answer as text, a list of texts, or None."""
    request = f"*{len(words)}\r\n" + "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in words)
    lines.write(request.encode())
    lines.flush()
    return answer(lines)


def answer(lines):
    kind, rest = (head := lines.readline().decode())[:1], head[1:].rstrip("\r\n")
    if kind == "$":
        return None if rest == "-1" else lines.read(int(rest) + 2)[:-2].decode()
    if kind == "*":
        return [answer(lines) for _ in range(int(rest))]
    if kind in "+:" and kind:
        return rest
    sys.exit(f"Redis says: {head.strip() or 'nothing'}")


def main():
    host, port, site, *whom = sys.argv[1:]
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        lines = connection.makefile("rwb")
        # Both in one question, so that they are of the same decision.
        seq, free = ask(lines, "HMGET", f"hotline:{{{site}}}:free", "seq", *(whom or ["all"]))
    if seq is None:
        print("nothing is shown")
    else:
        print(f"as of decision {seq}: {free or 'nobody'}")


main()
