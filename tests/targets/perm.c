// SPDX-License-Identifier: GPL-2.0
/*
 * perm SETUID-COPY
 *
 * Who may: requests by callers of all kinds for targets of all kinds, as lines
 * on stdin say, one answer per line on stdout. SETUID-COPY is a copy of this
 * program that is setuid root. Callers and targets are made when they are first
 * named, and stay.
 *
 *   CALLER	UID,CAPS,USER,PID,NET[,NUMBER]: root|owner|other,
 *		none|ptrace|permitted|all, init|child|grandchild|sibling, init|own,
 *		init|own|made (made in the caller's user namespace)
 *   TARGET	UID,DUMPABLE,USER,PID,TRACER: as above, 0|1|2|setuid, as above, as
 *		above, any|none (may any process trace it, says it to Yama)
 *   VIA	whose socket: "own", or another CALLER's
 *   HOW	plain|addressed (the message names its destination)|thread|
 *		changed (a thread with credentials of its own, with the same rights)|
 *		uring|worker|sqpoll (by io_uring, or its kernel threads)
 *
 *   take CALLER VIA HOW TARGET		ERRNO SENTENCE; dry run first
 *   hold CALLER VIA HOW TARGET		ERRNO ID
 *   release CALLER			closes what it holds
 *   list CALLER VIA HOW		ERRNO ID:PID:UID:DROPPED...
 *   ask CALLER VIA HOW; receive CALLER VIA	the same in two parts
 *   cancel CALLER VIA HOW ID		ERRNO SENTENCE
 *   join CALLER			ERRNO: the events
 *   hear CALLER			COMMAND:PID:UID... of the events so far
 *   uring CALLER HOW			ERRNO: can it be had?
 *   pids TARGET			in the initial and in the own namespace
 */
#include "caller.h"
#include "places.h"

#ifndef PR_SET_PTRACER
#define PR_SET_PTRACER 0x59616d61
#endif

#define MAX_PROCESSES 1024

/** struct process - a caller or a target */
struct process {
	char spec[64];
	pid_t pid;
	pid_t own_pid;
	bool own;
	int link;
	int lent;
};

static const char *const uids[] = { "root", "owner", "other", NULL };
static const uid_t uid_of[] = { UID_ROOT, UID_OWNER, UID_OTHER };
static const char *const caps[] = { "none", "ptrace", "permitted", "all", NULL };
static const char *const users[] = { "init", "child", "grandchild", "sibling", NULL };
static const char *const spaces[] = { "init", "own", "made", NULL };
static const char *const hows[] = {
	"plain", "addressed", "thread", "changed", "uring", "worker", "sqpoll", NULL
};

static struct places places;
static struct process callers[MAX_PROCESSES], targets[MAX_PROCESSES];
static pid_t controller;
static char *setuid_copy;

static int word(const char *const *words, const char *text)
{
	int i;

	for (i = 0; words[i]; i++)
		if (text && !strcmp(words[i], text))
			return i;
	fprintf(stderr, "perm: what is '%s'?\n", text ?: "");
	exit(2);
}

static void split(char *spec, char *part[6])
{
	int i;

	for (i = 0; i < 6; i++)
		part[i] = strtok(i ? NULL : spec, ",");
}

/* A target. */

static int target_main(char **argv)
{
	int kind = atoi(argv[2]);
	uid_t uid = atoi(argv[3]);

	if (kind >= 0) {
		/* Away and back, where it is root already. */
		if (kind == 2 && uid == UID_ROOT &&
		    (syscall(SYS_setresuid, -1, UID_OTHER, -1) ||
		     syscall(SYS_setresuid, -1, UID_ROOT, -1)))
			give_up("setresuid");
		become(uid);
		if (kind < 2)
			prctl(PR_SET_DUMPABLE, kind);
	}
	if (!strcmp(argv[4], "any"))
		prctl(PR_SET_PTRACER, -1UL, 0, 0, 0);
	dprintf(1, "%d", prctl(PR_GET_DUMPABLE));
	close(1);
	for (;;)
		pause();
}

/* The controller. */

static struct process *find(struct process *all, const char *spec)
{
	int i;

	for (i = 0; i < MAX_PROCESSES && all[i].pid; i++)
		if (!strcmp(all[i].spec, spec))
			return &all[i];
	if (i == MAX_PROCESSES)
		exit(2);
	snprintf(all[i].spec, sizeof(all[i].spec), "%s", spec);
	return &all[i];
}

static struct process *caller(const char *spec)
{
	struct process *process = find(callers, spec);
	char copy[64], *part[6];
	int link[2];

	if (process->pid)
		return process;
	strcpy(copy, process->spec);
	split(copy, part);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link))
		give_up("socketpair");
	process->lent = -1;
	process->link = link[0];
	process->own = word(spaces, part[3]);
	process->pid = fork_in(&places, process->own);
	if (process->pid) {
		close(link[1]);
		return process;
	}

	controller = 0;
	close(link[0]);
	if (word(spaces, part[4]) == 1 && setns(places.net_own, CLONE_NEWNET))
		give_up("setns");
	enter_user(&places, word(users, part[2]));
	if (word(spaces, part[4]) == 2 && unshare(CLONE_NEWNET))
		give_up("unshare");
	become_with(uid_of[word(uids, part[0])], word(caps, part[1]));
	be_caller(link[1]);
}

/* The pid in the namespace furthest in, from "NSpid:". */
static pid_t inner_pid(pid_t pid)
{
	char path[64], line[256], *last;
	pid_t inner = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file)) {
		last = strrchr(line, '\t');
		if (!strncmp(line, "NSpid:", 6) && last)
			inner = atoi(last);
	}
	if (file)
		fclose(file);
	return inner;
}

static void __attribute__((noreturn)) exec_target(char *const part[6], int ready)
{
	uid_t uid = uid_of[word(uids, part[0])];
	bool is_setuid = !strcmp(part[1], "setuid");
	char number[16];

	dup2(ready, 1);
	enter_user(&places, word(users, part[2]));
	if (is_setuid)
		become(uid);
	snprintf(number, sizeof(number), "%d", uid);
	execl(is_setuid ? setuid_copy : "/proc/self/exe", "perm", "target",
	      is_setuid ? "-1" : part[1], number, part[4], NULL);
	give_up("exec");
}

static struct process *target(const char *spec)
{
	struct process *process = find(targets, spec);
	char copy[64], *part[6], dumpable = 0;
	int ready[2];

	if (process->pid)
		return process;
	strcpy(copy, process->spec);
	split(copy, part);
	if (pipe2(ready, O_CLOEXEC))
		give_up("pipe");
	if (*part[1] == '2')
		write_text("/proc/sys/fs/suid_dumpable", "2");
	process->own = word(spaces, part[3]);
	process->pid = fork_in(&places, process->own);
	if (!process->pid) {
		controller = 0;
		exec_target(part, ready[1]);
	}
	close(ready[1]);
	if (read(ready[0], &dumpable, 1) != 1 || dumpable != (*part[1] == 's' ? '0' : *part[1])) {
		fprintf(stderr, "perm: target %s is dumpable %c\n", spec, dumpable ?: '?');
		exit(1);
	}
	close(ready[0]);
	if (*part[1] == '2')
		write_text("/proc/sys/fs/suid_dumpable", "0");
	process->own_pid = inner_pid(process->pid);
	return process;
}

static const char *tell(struct process *who, const struct order *order, int fd, int *lent)
{
	static char text[ANSWER_LEN];

	if (send_with(who->link, order, sizeof(*order), fd) < 0 ||
	    receive_with(who->link, text, sizeof(text), lent) <= 0) {
		fprintf(stderr, "perm: caller %s is gone\n", who->spec);
		exit(1);
	}
	return text;
}

static int socket_of(struct process *who, uint32_t *seq)
{
	struct order order = { .what = "lend" };
	int fd;

	*seq = atoi(tell(who, &order, -1, &fd));
	if (who->lent < 0)
		who->lent = fd;
	else
		close(fd);
	return who->lent;
}

/* How @who would name it; where that can't see it, by a number that is not in use there. */
static pid_t name_for(const struct process *who, const struct process *whom)
{
	return who->own && whom->own ? whom->own_pid : whom->pid;
}

static const char *run(char *what)
{
	char *who = strtok(NULL, " "), *via, *how, *whom;
	struct order order = { .how = PLAIN };
	struct process *process;
	static char text[64];
	int fd = -1, ignored;

	if (!who)
		return "perm: who?";
	if (!strcmp(what, "pids")) {
		process = target(who);
		snprintf(text, sizeof(text), "%d %d", process->pid, process->own_pid);
		return text;
	}
	via = !strcmp(what, "uring") ? "own" : strtok(NULL, " ");
	how = strtok(NULL, " ");
	whom = strtok(NULL, " ");
	snprintf(order.what, sizeof(order.what), "%s", what);
	process = caller(who);
	if (how)
		order.how = word(hows, how);
	order.via = via && strcmp(via, "own");
	if (order.via)
		fd = socket_of(caller(via), &order.number);
	if (whom)
		order.number = strcmp(what, "cancel") ? name_for(process, target(whom)) :
							atoi(whom);
	return tell(process, &order, fd, &ignored);
}

static void end_all(void)
{
	int i;

	if (getpid() != controller)
		return;
	for (i = 0; callers[i].pid > 0; i++)
		end_process(callers[i].pid);
	for (i = 0; targets[i].pid > 0; i++)
		end_process(targets[i].pid);
}

int main(int argc, char **argv)
{
	char line[512], *what;

	if (argc == 5 && !strcmp(argv[1], "target"))
		return target_main(argv);
	if (argc != 2)
		return 2;
	setuid_copy = argv[1];
	controller = getpid();
	atexit(end_all);
	places_make(&places);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		what = strtok(line, " ");
		puts(what ? run(what) : "");
		fflush(stdout);
	}
	return 0;
}
