#!/usr/bin/env python3
"""Plays the cases of `mcspec export --expand all` to a server: runner.py CASES.json HOST:PORT [DELIVERY [CAPABILITY...]]
What fails is printed, and ends it with 1. Not done: `rests_on`, target files, Unix sockets; cases that show a fault of memcached
are left out; a SHOULD or MAY may be missed; answers of different releases may mix; `owned` capabilities count when named."""
import base64, concurrent.futures, contextlib, json, random, re, socket, string, sys, time
SUITE, ADDRESS, DELIVERY = json.load(open(sys.argv[1])), tuple(sys.argv[2].rsplit(":", 1)), (sys.argv[3:] or ["whole"])[0]
def play(case, wires):  # a wire is [socket, what came and was not read, whether it ended]
    unique, half, names = "mc" + "".join(random.choices(string.digits, k=14)), set(), {}
    def wire(on): return wires.setdefault(on, wires.get(on) or [socket.create_connection(ADDRESS, 5), b"", False])
    def fill(p):  # the bytes of a piece
        if isinstance(p, str): return p.encode("latin-1")
        size, plus, key, letters = p.get("bytes", 0), p.get("plus", 0), f"{unique}k{p.get('n')}", string.ascii_lowercase
        return {"key": key, "base64_key": base64.b64encode(key.encode()).decode(), "filler": (letters * (size // 26 + 1))[:size], "fence": FENCE["send"],
                "sized_key": (f"{unique}n{size}z" + letters * (size // 26 + 1))[:size], "unix": str(int(time.time()) + plus),
                "captured": str((int(names.get(p.get("name"), 0)) + plus) % 2**64)}[p["kind"]].encode()[p.get("from", 0):p.get("to")]
    def regex(p):
        q = {"kind": "literal"} if isinstance(p, str) else p
        return {"number": b"(-?[0-9]+)", "capture": f"(?P<{q.get('name')}>[0-9]+)".encode(), "text": b"[^\r\n]+?",
                "lines": f"(?s:.*?{q.get('end')})??".encode()}.get(q["kind"]) or re.escape(fill(p))
    def fits(w, answer, after):
        if "bytes" not in answer: return w[2] and re.match(rb"\Z", w[1])
        numbers = (p for p in answer["bytes"] if isinstance(p, dict) and p["kind"] in ("number", "capture"))
        found = re.match(b"".join(map(regex, answer["bytes"] + after)), w[1])
        return found and all(p.get("min", 0) <= int(n) <= p.get("max", 2**64 - 1) for p, n in zip(numbers, found.groups())) and found
    def receive(w, answers, fenced):  # reads until one of them is there
        while not any(found := fits(w, answer, FENCE["receive"] if fenced else []) for answer in answers):
            assert not w[2], f"closed; expected {str(answers)[:300]}"
            more = b""  # a reset is an end, too
            with contextlib.suppress(ConnectionError): more = w[0].recv(1 << 20)
            w[1], w[2] = w[1] + more, not more
        w[1] = w[1][found.end():]; names.update(found.groupdict())
    for group in case["deliveries"][DELIVERY]:
        for write in group["writes"]:
            wire(group["on"])[0].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, len(group["writes"]) > 1)
            with contextlib.suppress(ConnectionError): wire(group["on"])[0].sendall(b"".join(map(fill, write)))
            time.sleep(0.001 if 1 < len(group["writes"]) <= 160 else 0)
        for step in case["steps"][group["first"]:group["first"] + group["count"]]:
            if step["do"] == "receive": receive(wire(step["on"]), step["answers"], step.get("fenced"))
            elif step["do"] == "wait": time.sleep(step["ms"] / 1000)
            elif step["do"] == "close": wire(step["on"])[0].close(), wires.pop(step["on"])
            elif step["do"] == "half-close": half.add(step["on"]), wire(step["on"])[0].shutdown(socket.SHUT_WR)
    for on, w in wires.items():  # in step: the fence is answered, and nothing is left
        with contextlib.suppress(ConnectionError): on in half or w[2] or w[0].sendall(FENCE["send"].encode())
        if not w[2] or w[1]: receive(w, [{} if on in half else {"bytes": []}], on not in half)
        assert not w[1], "more than that came"
def judge(case, wires):
    try: return play(case, wires)
    except (AssertionError, OSError) as error: return f"{error}; not read: { {on: w[1][-200:] for on, w in wires.items()} }"
def line(request):  # the first line of the answer, on a connection of its own
    with contextlib.suppress(OSError), socket.create_connection(ADDRESS, 1) as wire:
        return wire.sendall(request.encode("latin-1")) or wire.makefile("rb").readline().decode("latin-1")
FENCE = next(fence for fence in SUITE["fences"] if (line(fence["send"]) or "").startswith(fence["receive"][0]))
OFFERED = {c["name"] for c in SUITE["capabilities"] if c["found"] == "assumed" or c["name"] in sys.argv[4:]
           or c["found"] == "probed" and (line(c["probe"]) or "").startswith(tuple(c["shown_by"]))}
CASES = sorted((c for c in SUITE["cases"] if OFFERED.issuperset(c["needs"]) and "upstream_bugs" not in c), key=lambda c: c["exclusive"])
with concurrent.futures.ThreadPoolExecutor(16) as pool: results = list(pool.map(lambda c: judge(c, {}), (c for c in CASES if not c["exclusive"])))
results += [judge(c, {}) for c in CASES if c["exclusive"]]
failed = [f"{c['id']} ({DELIVERY}): {why}" for c, why in zip(CASES, results) if why and c["level"] in ("MUST", "DEFACTO")]
print(*failed, f"{len(CASES)} cases played ({DELIVERY}), {len(failed)} failed, {len(SUITE['cases']) - len(CASES)} left out", sep="\n")
sys.exit(bool(failed))
