#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Who may: a table of callers and targets against a model of the rules.

Usage: permissions.py PERM SETUID-COPY COUNT PART...

PERM is tests/targets/perm, COUNT how many rows the table has. The parts: table (policies, and Yama below 3), deputies, listing,
events, uring, room, no-attach (Yama's ptrace_scope 3, which only a reboot takes back). Prints "plan N" and, for each test, "ok NAME",
"not NAME" with lines "# ..." before it, or "skip NAME # REASON".

The model is written from what README.md promises and from ptrace(2), user_namespaces(7), capabilities(7) and
Documentation/admin-guide/LSM/Yama.rst, not from the module.
"""
import errno
import itertools
import os
import random
import subprocess
import sys

YAMA = "/proc/sys/kernel/yama/ptrace_scope"
POLICY = "/sys/module/kcoresnap/parameters/policy"
SEED = int(os.environ.get("KCS_SEED", 1))
MAX_SNAPSHOTS = "/sys/module/kcoresnap/parameters/max_snapshots"

UIDS = {"root": 0, "owner": 1000, "other": 2000}
# User namespaces: the parent, and who made it.
PARENT = {"init": None, "child": "init", "sibling": "init", "grandchild": "child"}
MAKER = {"child": "owner", "sibling": "other", "grandchild": "root"}
PTRACE = "sys_ptrace"
EVERY = frozenset([PTRACE, "others"])
CAPS = {"none": (frozenset(), frozenset()), "ptrace": (frozenset([PTRACE]), frozenset([PTRACE])),
        "permitted": (frozenset([PTRACE]), frozenset()), "all": (EVERY, EVERY)}


class Caller:
    def __init__(self, uid, caps, user, pid="init", net="init", number=""):
        self.uid, self.user, self.pid = uid, user, pid
        self.permitted, self.effective = CAPS[caps]
        self.spec = ",".join(filter(None, [uid, caps, user, pid, net, number]))

    def may(self, user):
        """capabilities(7): CAP_SYS_PTRACE over a user namespace."""
        below = None
        while user:
            if user == self.user:
                # Who made a namespace, and is in its parent, has every capability in it.
                return PTRACE in self.effective or (below is not None and MAKER[below] == self.uid)
            below, user = user, PARENT[user]
        return False


class Target:
    def __init__(self, uid, dumpable, user, pid="init", tracer="none"):
        self.uid, self.dumpable, self.user, self.pid, self.tracer = uid, dumpable, user, pid, tracer
        self.uids = {"root", uid} if dumpable == "setuid" else {uid}
        self.permitted = EVERY if "root" in self.uids else frozenset()
        self.spec = ",".join([uid, dumpable, user, pid, tracer])


def ptrace_allows(caller, target, yama):
    """ptrace(2), "Ptrace access mode checking", PTRACE_MODE_ATTACH_REALCREDS."""
    over = caller.may(target.user)
    if target.uids != {caller.uid} and not over:
        return False
    if target.dumpable != "1" and not over:
        return False
    if not over and (caller.user != target.user or not target.permitted <= caller.permitted):
        return False
    if yama == 1:
        return over or target.tracer == "any"
    return yama != 3 and (yama != 2 or over)


SENTENCES = {
    "absent": "no process {} in the caller's pid namespace: ",
    "host": "this takes CAP_SYS_PTRACE in the initial user namespace, of the sender and of whoever opened the socket: ",
    "namespace": "this takes CAP_SYS_PTRACE in the target's user namespace, of the sender and of whoever opened the socket: ",
    "socket": "the netlink socket was opened with other rights than the request was sent with: ",
    "ptrace": "ptrace's rules keep the caller from this process ",
}


def expected(sender, opener, target, policy, yama, same_credentials):
    """The errno, and what the sentence must hold."""
    if sender.pid == "own" and target.pid == "init":
        return errno.ESRCH, "absent"
    if policy == 0 and not (sender.may("init") and opener.may("init")):
        return errno.EPERM, "host"
    if policy == 1 and not (sender.may(target.user) and opener.may(target.user)):
        return errno.EPERM, "namespace"
    if policy == 2 and not same_credentials:
        return errno.EPERM, "socket"
    if not ptrace_allows(sender, target, yama):
        return errno.EPERM, "ptrace"
    return 0, None


class Perm:
    def __init__(self, program, setuid_copy):
        self.process = subprocess.Popen([program, setuid_copy], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words):
        self.process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        return answer.strip() if answer else sys.exit("perm has ended, asked to %s" % list(words))

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def put(path, value):
    with open(path, "w") as file:
        file.write(str(value))


def get(path):
    with open(path) as file:
        return file.read().strip()


# stdout belongs to the results.
def report(name, wrong):
    for line in wrong[:12]:
        print("# " + line)
    if len(wrong) > 12:
        print("# and %d more" % (len(wrong) - 12))
    print(("not " if wrong else "ok ") + name, flush=True)


def wrong_answer(answer, want, key, sentence_args=()):
    number, _, sentence = answer.partition(" ")
    sentence = sentence.strip()
    if number != str(want):
        return "wanted errno %d (%s), got: %s" % (want, key, answer)
    if " BUT " in answer or sentence.startswith("BUT"):
        return "got: " + answer
    if want == 0 and sentence:
        return "a sentence with success: " + answer
    if key and SENTENCES[key].format(*sentence_args) not in sentence:
        return "not the sentence of '%s': %s" % (key, answer)
    return None


def take(perm, sender, opener, how, target, policy, yama, same):
    answer = perm.ask("take", sender.spec, opener.spec if opener is not sender else "own", how, target.spec)
    want, key = expected(sender, opener, target, policy, yama, same)
    wrong = wrong_answer(answer, want, key, [""] if key != "absent" else [named(perm, sender, target)])
    row = "%s by %s's socket (%s) for %s, policy %d, ptrace_scope %s" % (
        sender.spec, opener.spec, how, target.spec, policy, yama)
    return want, (["%s: %s" % (row, wrong)] if wrong else [])


def named(perm, sender, target):
    first, own = perm.ask("pids", target.spec).split()
    return own if sender.pid == target.pid == "own" else first


DIMENSIONS = {
    "uid": ["root", "owner", "other"],
    "caps": ["none", "ptrace", "permitted", "all"],
    "user": ["init", "child", "sibling"],
    "pid": ["init", "own"],
    "net": ["init", "own"],
    "target uid": ["owner", "root"],
    "dumpable": ["1", "0", "2", "setuid"],
    "target user": ["init", "child", "grandchild", "sibling"],
    "target pid": ["own", "init"],
    "tracer": ["none", "any"],
    "policy": [0, 1, 2],
    "yama": [0, 1, 2],
    "opener": ["itself", "root", "nobody", "twin"],
    "how": ["plain", "addressed"],
}


def possible(row):
    # A setuid program that root runs is nothing special.
    return row["dumpable"] != "setuid" or row["target uid"] == "owner"


def table_of(rng, count, dimensions):
    """Every pair of values of two dimensions at least once, then rows at random."""
    names = list(dimensions)
    missing = {((a, x), (b, y)) for a, b in itertools.combinations(names, 2)
               for x in dimensions[a] for y in dimensions[b]}
    missing.discard((("target uid", "root"), ("dumpable", "setuid")))
    rows = []
    while missing or len(rows) < count:
        seed = dict(rng.choice(sorted(missing, key=repr))) if missing else {}
        best = None
        for _ in range(6 if missing else 1):
            row = {name: seed.get(name, rng.choice(dimensions[name])) for name in names}
            # Most requests are sent by who opened the socket.
            if "opener" not in seed and rng.random() < 0.5:
                row["opener"] = "itself"
            if not possible(row):
                continue
            new = missing & set(itertools.combinations(row.items(), 2))
            if best is None or len(new) > len(best[1]):
                best = row, new
        if best:
            rows.append(best[0])
            missing -= best[1]
    return rows


def add_taken(rng, rows, dimensions, least=3):
    """Some of each policy and ptrace_scope that are taken, without which the others show nothing."""
    for policy, yama in itertools.product(dimensions["policy"], dimensions["yama"]):
        missing = least
        while missing:
            row = {name: rng.choice(values) for name, values in dimensions.items()}
            row.update(policy=policy, yama=yama)
            sender, opener, target = actors(row)
            if possible(row) and not expected(sender, opener, target, policy, yama, opener is sender)[0]:
                rows.append(row)
                missing -= 1


def actors(row):
    sender = Caller(row["uid"], row["caps"], row["user"], row["pid"], row["net"])
    target = Target(row["target uid"], row["dumpable"], row["target user"], row["target pid"], row["tracer"])
    return sender, opener_of(row, sender), target


def opener_of(row, sender):
    return {
        "itself": sender,
        "root": Caller("root", "all", "init"),
        "nobody": Caller("other", "none", "init"),
        "twin": Caller(row["uid"], row["caps"], row["user"], row["pid"], row["net"], "2"),
    }[row["opener"]]


def run_rows(perm, rows):
    """The rows by (policy, yama): what was wrong, and how many were taken."""
    wrong, taken, total = {}, {}, {}
    rows = sorted(rows, key=lambda row: (row["yama"] or 0, row["policy"]))
    for row in rows:
        group = row["policy"], row["yama"]
        if group not in total:
            put(POLICY, row["policy"])
            if row["yama"]:
                put(YAMA, row["yama"])
        sender, opener, target = actors(row)
        want, lines = take(perm, sender, opener, row["how"], target, row["policy"], row["yama"], opener is sender)
        wrong.setdefault(group, []).extend(lines)
        taken[group] = taken.get(group, 0) + (want == 0)
        total[group] = total.get(group, 0) + 1
    put(POLICY, 0)
    return wrong, taken, total


def part_table(perm, count):
    dimensions = dict(DIMENSIONS)
    if not os.path.exists(YAMA):
        dimensions["yama"] = [None]
    else:
        before = get(YAMA)
    rng = random.Random(SEED)
    rows = table_of(rng, count, dimensions)
    add_taken(rng, rows, dimensions)
    wrong, taken, total = run_rows(perm, rows)
    if os.path.exists(YAMA):
        put(YAMA, before)
    for yama, policy in itertools.product((0, 1, 2), (0, 1, 2)):
        name = "callers and targets of all kinds, policy %d, ptrace_scope %d" % (policy, yama)
        if yama and not os.path.exists(YAMA):
            print("skip %s # this kernel has no Yama" % name)
            continue
        group = policy, yama if os.path.exists(YAMA) else None
        print("# policy %d, ptrace_scope %d: %d of %d taken" % (policy, yama, taken[group], total[group]))
        report(name, wrong[group])


def part_no_attach(perm, count):
    name = "nobody, not even root, where ptrace_scope is 3, policy %d"
    if not os.path.exists(YAMA):
        for policy in range(3):
            print("skip %s # this kernel has no Yama" % (name % policy))
        return
    put(YAMA, 3)
    rows = table_of(random.Random(SEED), count, dict(DIMENSIONS, yama=[3], opener=["itself", "twin"]))
    for policy in range(3):
        wrong, _, _ = run_rows(perm, [row for row in rows if row["policy"] == policy])
        report(name % policy, wrong[policy, 3])


ROOT = Caller("root", "all", "init")
OWNER = Caller("owner", "none", "init")
OTHER = Caller("other", "none", "init")
PRIVILEGED = Caller("other", "ptrace", "init")
DORMANT = Caller("other", "permitted", "init")
DEPUTIES = [
    ("an unprivileged process's socket, a message of root's", OTHER, ROOT),
    ("root's socket, a message of an unprivileged process's", ROOT, OTHER),
    ("a socket handed to a program with more capabilities", OTHER, PRIVILEGED),
    ("a socket handed to a program that could raise its capabilities", OTHER, DORMANT),
    ("a socket handed on to a process of the same rights", OTHER, Caller("other", "none", "init", "init", "init", "2")),
    ("a socket of a namespace's root, a message of the host's", Caller("root", "all", "child"), ROOT),
    ("the host's root's socket, a message of a namespace's root", ROOT, Caller("root", "all", "child")),
]


def hold(perm, who, target):
    err, ident = perm.ask("hold", who.spec, "own", "plain", target.spec).split()
    if err != "0":
        sys.exit("permissions.py: %s could not hold a snapshot of %s: errno %s" % (who.spec, target.spec, err))
    return ident


def listed(answer):
    """The ids, each with (pid, uid, dropped)."""
    items = [item.split(":") for item in answer.split() if ":" in item]
    return {item[0]: tuple(item[1:]) for item in items}


class Held:
    """A snapshot that is open."""

    def __init__(self, perm, who, target):
        self.who, self.target = who, target
        self.pids = perm.ask("pids", target.spec).split()
        self.id = hold(perm, who, target)

    def seen_by(self, sender, opener):
        if not sender.may("init") and self.shown_to(sender) == "0":
            return False
        return all(one.uid == self.who.uid or one.may("init") for one in (sender, opener))

    def shown_to(self, sender):
        if sender.pid == "init":
            return self.pids[0]
        return self.pids[1] if self.target.pid == "own" else "0"


def hold_some(perm):
    put(MAX_SNAPSHOTS, 16)
    held = [Held(perm, ROOT, Target("root", "1", "init"))]
    put(POLICY, 2)
    for who in [OWNER, OTHER, Caller("owner", "none", "child"), Caller("other", "none", "init", "own"),
                Caller("owner", "all", "sibling", "own")]:
        held.append(Held(perm, who, Target(who.uid, "1", who.user, who.pid)))
    put(POLICY, 1)
    who = Caller("root", "all", "child")
    held.append(Held(perm, who, Target("root", "1", "child")))
    put(POLICY, 0)
    return held


def let_go(perm, held):
    for one in held:
        perm.ask("release", one.who.spec)
    put(POLICY, 0)
    put(MAX_SNAPSHOTS, 4)


def look(perm, held, sender, opener, how):
    """LIST: who sees which, and what is said of each."""
    answer = perm.ask("list", sender.spec, opener.spec if opener is not sender else "own", how)
    seen = listed(answer)
    want = {one.id: (one.shown_to(sender), str(UIDS[one.who.uid]), "0") for one in held if one.seen_by(sender, opener)}
    if answer.split()[0:1] != ["0"] and answer.split()[-1:] != ["0"]:
        return ["%s by %s's socket (%s): %s" % (sender.spec, opener.spec, how, answer)]
    return [] if seen == want else ["%s by %s's socket (%s) sees %s, not %s" % (
        sender.spec, opener.spec, how, seen, want)]


def call_off(perm, held, sender, opener, how, allowed):
    """CANCEL of those that may, or may not, be cancelled."""
    wrong = []
    for one in held:
        if one.seen_by(sender, opener) != allowed:
            continue
        answer = perm.ask("cancel", sender.spec, opener.spec if opener is not sender else "own", how, one.id)
        want = "0" if allowed else "%d there is no snapshot %s of the caller's" % (errno.ENOENT, one.id)
        if not answer.startswith(want):
            wrong.append("%s by %s's socket (%s) cancels %s's: %s" % (
                sender.spec, opener.spec, how, one.who.spec, answer))
    return wrong


def part_deputies(perm, _count):
    targets = [Target("other", "1", "init"), Target("root", "1", "init"), Target("root", "1", "child")]
    for name, opener, sender in DEPUTIES:
        wrong = []
        for policy, how, target in itertools.product(range(3), ("plain", "addressed"), targets):
            put(POLICY, policy)
            wrong += take(perm, sender, opener, how, target, policy, 0, False)[1]
        report(name + ", to snapshot", wrong)
    held = hold_some(perm)
    for name, opener, sender in DEPUTIES:
        wrong = []
        for policy, how in itertools.product(range(3), ("plain", "addressed")):
            put(POLICY, policy)
            wrong += look(perm, held, sender, opener, how)
            wrong += call_off(perm, held, sender, opener, how, False)
        report(name + ", to list and cancel", wrong)
    # The list goes on as it is received, in the context of whoever does that.
    put(POLICY, 2)
    mine, roots = Held(perm, OTHER, targets[0]), Held(perm, ROOT, targets[1])
    wrong = []
    for how in "plain", "addressed":
        perm.ask("ask", OTHER.spec, "own", how)
        seen = listed(perm.ask("receive", ROOT.spec, OTHER.spec))
        wrong += ["saw %s" % seen] if mine.id not in seen or roots.id in seen else []
    report("a list that an unprivileged process asked for and root receives", wrong)
    let_go(perm, held)


def part_listing(perm, _count):
    held = hold_some(perm)
    viewers = [Caller(*spec) for spec in itertools.product(
        DIMENSIONS["uid"], ["none", "ptrace", "all"], DIMENSIONS["user"], DIMENSIONS["pid"])]
    wrong = []
    for viewer in viewers:
        wrong += look(perm, held, viewer, viewer, "plain")
    report("a list shows one's own snapshots and, with CAP_SYS_PTRACE on the host, all", wrong)
    wrong = []
    for viewer in viewers:
        wrong += call_off(perm, held, viewer, viewer, "plain", False)
    wrong += look(perm, held, ROOT, ROOT, "plain")
    report("others' snapshots can't be cancelled, and are said not to be there", wrong)
    wrong = []
    for viewer in viewers:
        wrong += call_off(perm, held, viewer, viewer, "plain", True)
    seen = listed(perm.ask("list", ROOT.spec, "own", "plain"))
    wrong += ["cancelled, but listed as %s:%s" % item for item in seen.items() if item[1][2] != str(errno.ECANCELED)]
    report("one's own can, and all with CAP_SYS_PTRACE on the host", wrong)
    let_go(perm, held)
    report("nothing is left", [] if not listed(perm.ask("list", ROOT.spec, "own", "plain")) else ["something is left"])


def part_events(perm, _count):
    admin, nobody = Caller("root", "all", "init", "init", "init", "9"), Caller("other", "ptrace", "init")
    inside = Caller("root", "all", "child", "init", "init")
    within = Caller("root", "all", "child", "init", "made")
    target = Target("owner", "1", "child", "own")
    joined = [perm.ask("join", one.spec) for one in (admin, nobody, inside, within)]
    report("the events are for CAP_SYS_ADMIN on the host: joining is refused to all others there",
           [] if joined[:3] == ["0", str(errno.EPERM), str(errno.EPERM)] else ["answers: %s" % joined])
    put(POLICY, 1)
    asker = Caller("owner", "all", "child", "own")
    perm.ask("take", asker.spec, "own", "plain", target.spec)
    pid = perm.ask("pids", target.spec).split()[0]
    put(POLICY, 0)
    perm.ask("take", asker.spec, "own", "plain", target.spec)
    taken, failed, closed = 5, 6, 7
    want = " ".join("%d:%s:1000" % (command, pid) for command in (taken, closed, failed))
    heard = perm.ask("hear", admin.spec)
    report("taken, closed and failed are heard with the host's pids and uids",
           [] if heard == want else ["heard: %s" % heard, "want: %s" % want])
    report("in a network namespace of one's own the group is silent",
           [] if joined[3] == "0" and not perm.ask("hear", within.spec) else ["joined: %s" % joined[3]])


def part_uring(perm, _count):
    askers = [ROOT, OWNER, Caller("owner", "all", "child")]
    targets = [Target("owner", "1", "init"), Target("owner", "1", "child")]
    names = {"thread": "another thread", "changed": "a thread with credentials of its own", "uring": "io_uring",
             "worker": "a worker of io_uring", "sqpoll": "io_uring's own thread"}
    for how, name in names.items():
        name = "a request by " + name
        missing = how in ("uring", "worker", "sqpoll") and perm.ask("uring", ROOT.spec, how)
        if missing and missing != "0":
            print("skip %s # io_uring_setup: %s" % (name, os.strerror(int(missing))))
            continue
        wrong = []
        for policy, asker, target in itertools.product(range(3), askers, targets):
            put(POLICY, policy)
            wrong += take(perm, asker, asker, how, target, policy, 0, how != "changed")[1]
        report(name, wrong)
    put(POLICY, 0)


def part_room(perm, _count):
    put(MAX_SNAPSHOTS, 1)
    held = Held(perm, ROOT, Target("root", "1", "init"))
    answer = perm.ask("take", OTHER.spec, "own", "plain", held.target.spec)
    wrong = wrong_answer(answer, errno.EPERM, "host", [""])
    report("who may not is told so whether there is room or not, and takes none", [wrong] if wrong else [])
    let_go(perm, [held])


PARTS = {"table": (part_table, 9), "deputies": (part_deputies, 2 * len(DEPUTIES) + 1), "listing": (part_listing, 4),
         "events": (part_events, 3), "uring": (part_uring, 5), "room": (part_room, 1), "no-attach": (part_no_attach, 3)}


def main():
    program, setuid_copy, count, *parts = sys.argv[1:]
    print("plan %d" % sum(PARTS[part][1] for part in parts), flush=True)
    perm = Perm(program, setuid_copy)
    for part in parts:
        PARTS[part][0](perm, int(count))
    perm.end()


if __name__ == "__main__":
    main()
