// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>

#include <netlink/socket.h>

#include <linux/kcoresnap.h>

#include "cleanup.h"
#include "clock.h"
#include "cmd.h"
#include "event.h"
#include "format.h"
#include "interrupt.h"
#include "json.h"
#include "parse.h"
#include "say.h"

#define TIME_SIZE 40

/**
 * struct monitor - what is done with events
 * @json: one object a line
 * @ret: of writing
 */
struct monitor {
	bool json;
	enum kcs_exit ret;
};

/* RFC 3339, of when it is told. */
static const char *now(char *text)
{
	struct timespec ts;
	struct tm tm;
	size_t len;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	len = strftime(text, TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + len, TIME_SIZE - len, ".%06uZ",
		 (unsigned int)(ts.tv_nsec / NSEC_PER_USEC));
	return text;
}

static struct json_object *new_event(const char *event)
{
	struct json_object *one = json_object_new_object();
	char time[TIME_SIZE];

	kcs_json_add_text(one, "time", now(time));
	kcs_json_add_text(one, "event", event);
	return one;
}

static void add_subject(struct json_object *one, const struct kcs_entry *entry,
			bool has_id)
{
	if (has_id)
		kcs_json_add_u64(one, "id", entry->id);
	kcs_json_add_u64(one, "pid", entry->pid);
	kcs_json_add_text(one, "comm", entry->comm);
	kcs_json_add_u64(one, "uid", entry->uid);
}

static struct json_object *event_json(uint8_t cmd, struct nlattr **attrs,
				      const struct kcs_entry *entry)
{
	struct json_object *one;

	switch (cmd) {
	case KCORESNAP_CMD_TAKEN:
		one = new_event("taken");
		add_subject(one, entry, true);
		kcs_json_add_text(one, "mode", kcs_mode_name(entry->mode));
		kcs_json_add_u64(one, "size", entry->size);
		kcs_json_add_u64(one, "threads", entry->threads);
		kcs_json_add_u64(one, "pause_ns", entry->pause_ns);
		kcs_json_add_u64(one, "predicted_ns",
				 kcs_nl_u64(attrs, KCORESNAP_A_PREDICTED_NS));
		return one;
	case KCORESNAP_CMD_FAILED:
		one = new_event("failed");
		add_subject(one, entry, false);
		kcs_json_add_u64(one, "errno",
				 kcs_nl_u32(attrs, KCORESNAP_A_ERRNO));
		kcs_json_add_text(one, "refusal",
				  kcs_nl_string(attrs, KCORESNAP_A_REFUSAL));
		return one;
	case KCORESNAP_CMD_CLOSED:
		one = new_event("closed");
		add_subject(one, entry, true);
		kcs_json_add_u64(one, "pause_ns", entry->pause_ns);
		kcs_json_add_u64(one, "read_bytes", entry->read_bytes);
		kcs_json_add_u64(one, "inexact_bytes", entry->inexact_bytes);
		kcs_json_add_u64(one, "missed_bytes", entry->missed_bytes);
		kcs_json_add_u64(one, "lost_bytes", entry->lost_bytes);
		kcs_json_add(one, "dropped", entry->dropped ?
			     kcs_json_text(kcs_dropped_name(entry->dropped)) :
			     NULL);
		return one;
	default:
		return NULL;
	}
}

static void print_taken(struct nlattr **attrs, const struct kcs_entry *entry)
{
	char size[KCS_FORMAT_SIZE], pause[KCS_FORMAT_SIZE];
	char predicted[KCS_FORMAT_SIZE];

	printf("%s, %u thread%s, %s, pause %s of %s predicted",
	       kcs_mode_name(entry->mode), entry->threads,
	       entry->threads == 1 ? "" : "s",
	       kcs_format_bytes(size, entry->size),
	       kcs_format_ns(pause, entry->pause_ns),
	       kcs_format_ns(predicted,
			     kcs_nl_u64(attrs, KCORESNAP_A_PREDICTED_NS)));
}

static void print_failed(struct nlattr **attrs)
{
	char refusal[KCS_SENTENCE_SIZE];

	snprintf(refusal, sizeof(refusal), "%s",
		 kcs_nl_string(attrs, KCORESNAP_A_REFUSAL));
	kcs_printable(refusal);
	printf("%s", refusal[0] ? refusal :
	       strerror((int)kcs_nl_u32(attrs, KCORESNAP_A_ERRNO)));
}

static void print_closed(const struct kcs_entry *entry)
{
	char done[KCS_FORMAT_SIZE], inexact[KCS_FORMAT_SIZE];
	char lost[KCS_FORMAT_SIZE], pause[KCS_FORMAT_SIZE];

	printf("pause %s, %s read, %s inexact, %s lost",
	       kcs_format_ns(pause, entry->pause_ns),
	       kcs_format_bytes(done, entry->read_bytes),
	       kcs_format_bytes(inexact, entry->inexact_bytes),
	       kcs_format_bytes(lost, entry->lost_bytes));
	if (entry->dropped)
		printf(", dropped: %s", kcs_dropped_name(entry->dropped));
}

static void print_event(uint8_t cmd, struct nlattr **attrs,
			const struct kcs_entry *entry)
{
	static const char *const names[] = {
		[KCORESNAP_CMD_TAKEN] = "taken",
		[KCORESNAP_CMD_FAILED] = "failed",
		[KCORESNAP_CMD_CLOSED] = "closed",
	};
	char time[TIME_SIZE], id[16] = "-";

	if (attrs[KCORESNAP_A_ID])
		snprintf(id, sizeof(id), "%" PRIu32, entry->id);
	printf("%s %-6s %6s %8u (%s) for uid %u: ", now(time), names[cmd], id,
	       entry->pid, entry->comm, entry->uid);
	if (cmd == KCORESNAP_CMD_TAKEN)
		print_taken(attrs, entry);
	else if (cmd == KCORESNAP_CMD_FAILED)
		print_failed(attrs);
	else
		print_closed(entry);
	printf("\n");
}

static void take_event(uint8_t cmd, struct nlattr **attrs, void *arg)
{
	struct monitor *monitor = arg;
	struct kcs_entry entry;

	if (cmd != KCORESNAP_CMD_TAKEN && cmd != KCORESNAP_CMD_FAILED &&
	    cmd != KCORESNAP_CMD_CLOSED)
		return;
	kcs_module_entry(attrs, &entry);
	if (monitor->json)
		monitor->ret = kcs_json_line(event_json(cmd, attrs, &entry));
	else
		print_event(cmd, attrs, &entry);
}

static void print_mark(struct monitor *monitor, const char *event,
		       const char *text)
{
	char time[TIME_SIZE];

	if (monitor->json)
		monitor->ret = kcs_json_line(new_event(event));
	else
		printf("%s %-6s %s\n", now(time), event, text);
}

/* Return: 0, or -errno as of kcs_event_receive(). */
static int take_events(struct kcs_nl *nl, struct monitor *monitor)
{
	int err = kcs_event_receive(nl, take_event, monitor);

	if (err == -ENOBUFS) {
		print_mark(monitor, "lost",
			   "events that came faster than they were read");
		err = 0;
	}
	return err;
}

static enum kcs_exit say_end(int err)
{
	if (err == -ENOENT) {
		kcs_say("the kcoresnap module was unloaded: run 'modprobe kcoresnap' as root, and this again");
		return KCS_EXIT_MODULE;
	}
	kcs_say("events can't be received (%s): try again", strerror(-err));
	return KCS_EXIT_ERROR;
}

/*
 * Until a signal, or until nobody reads any more. Signals are blocked, so that
 * writing must not wait: it is done where poll() says that it won't, an event at a
 * time, and what nobody takes is dropped at the end.
 */
static enum kcs_exit follow(struct kcs_nl *nl, int signals,
			    struct monitor *monitor)
{
	struct pollfd fds[] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = STDOUT_FILENO },
		{ .fd = nl_socket_get_fd(nl->sock), .events = POLLIN },
	};
	bool ready = false;
	int err = 0;

	while (!monitor->ret && !err) {
		fds[1].events = POLLOUT;
		if (poll(fds, 2, -1) < 0)
			return errno == EINTR ? KCS_EXIT_OK : say_end(-errno);
		if (!fds[1].revents)
			__fpurge(stdout);
		if (fds[0].revents)
			break;
		if (!ready)
			print_mark(monitor, "ready", "following events");
		ready = true;
		if (monitor->ret)
			break;
		if (fflush(stdout) || ferror(stdout) ||
		    fds[1].revents & (POLLERR | POLLHUP))
			return KCS_EXIT_OK;
		fds[1].events = 0;
		if (poll(fds, 3, -1) < 0)
			return errno == EINTR ? KCS_EXIT_OK : say_end(-errno);
		if (fds[2].revents)
			err = take_events(nl, monitor);
	}
	return err ? say_end(err) : monitor->ret;
}

static int block_signals(void)
{
	sigset_t set;
	int fd;

	kcs_interrupt_signals(&set);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Where it can be told: events go to the initial network namespace. */
static bool is_elsewhere(void)
{
	struct stat own, first;

	return !stat("/proc/self/ns/net", &own) &&
	       !stat("/proc/1/ns/net", &first) && own.st_ino != first.st_ino;
}

static enum kcs_exit join(struct kcs_nl *nl)
{
	int err = kcs_event_join(nl);

	switch (err) {
	case 0:
		if (!is_elsewhere())
			return KCS_EXIT_OK;
		kcs_say("events are told in the initial network namespace only: run this there, by 'nsenter --net=/proc/1/ns/net'");
		return KCS_EXIT_REFUSED;
	case -EPERM:
		kcs_say("to see events takes CAP_SYS_ADMIN in the initial user namespace: run as root");
		return KCS_EXIT_PERMISSION;
	default:
		kcs_say("the module's events can't be joined (%s): install tool and module of the same version",
			strerror(-err));
		return KCS_EXIT_MODULE;
	}
}

enum kcs_exit kcs_cmd_monitor(const struct kcs_args *args)
{
	struct kcs_nl nl KCS_CLEANUP(kcs_nl_close) = { 0 };
	struct monitor monitor = { .json = args->json };
	int signals KCS_CLEANUP(kcs_close) = -1;
	enum kcs_exit ret = kcs_nl_open(&nl);

	if (!ret)
		ret = join(&nl);
	if (ret)
		return ret;
	signals = block_signals();
	if (signals < 0) {
		kcs_say("signals can't be waited for (%s): raise the limit on open files (ulimit -n)",
			strerror(-signals));
		return KCS_EXIT_ERROR;
	}
	return follow(&nl, signals, &monitor);
}
