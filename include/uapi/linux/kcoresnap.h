/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * kcoresnap: an ELF core of a live process, from a copy-on-write snapshot.
 *
 * The interface is the generic netlink family "kcoresnap", which answers in
 * every network namespace. Integers are in host order, times are nanoseconds
 * and sizes bytes unless a name says otherwise; strings are NUL-terminated.
 * 64-bit attributes are aligned with KCORESNAP_A_PAD. Attributes and commands
 * are only ever appended.
 *
 * Errors come as an ordinary netlink error message. Where the socket option
 * NETLINK_EXT_ACK is set, its NLMSGERR_ATTR_MSG is one English sentence that
 * says what was refused and what to do instead; the errno alone is never the
 * whole message.
 *
 * pids are those of the caller's pid namespace.
 *
 *
 * KCORESNAP_CMD_INFO
 * ------------------
 * Request: no attribute. Anyone may ask.
 *
 * Reply, one message:
 *
 *	KCORESNAP_A_VERSION		string, the module's version
 *	KCORESNAP_A_MODES		u32, bit 1 << enum kcoresnap_mode set for
 *					each mode this kernel can take
 *	KCORESNAP_A_MAX_SNAPSHOTS	u32, how many may be open at once
 *	KCORESNAP_A_ACTIVE		u32, how many are open now
 *	KCORESNAP_A_MAX_PAUSE_US	u64, bound where a request names none
 *	KCORESNAP_A_POLICY		u32, who may take one: enum kcoresnap_policy
 *	KCORESNAP_A_LIFETIME_S		u32, seconds after which a snapshot is dropped,
 *					0 for never
 *
 *
 * KCORESNAP_CMD_SNAPSHOT
 * ----------------------
 * Request, the last one of its datagram:
 *
 *	KCORESNAP_A_PID			u32, required: any thread of the target
 *	KCORESNAP_A_START_TIME		u64, as field 22 of /proc/PID/stat reads
 *					for the thread group leader (clock ticks,
 *					in the caller's time namespace); another
 *					start time means that the pid was reused
 *	KCORESNAP_A_MODE		u32, enum kcoresnap_mode, default AUTO
 *	KCORESNAP_A_FILTER		u32, bits as in /proc/PID/coredump_filter,
 *					default the target's own
 *	KCORESNAP_A_MAX_PAUSE_US	u64, microseconds, 1 to
 *					KCORESNAP_MAX_PAUSE_US_LIMIT
 *	KCORESNAP_A_ALLOW		u32, enum kcoresnap_allow: risks accepted
 *					for this request
 *	KCORESNAP_A_DRY_RUN		flag: decide and predict, touch nothing
 *	KCORESNAP_A_STREAM		flag: the core is read forward only; what is
 *					behind the reader is given back early
 *	KCORESNAP_A_PIDS		u32, enum kcoresnap_pids: whose pids the notes
 *					of the core have, default TARGET
 *
 * The handler runs in the caller's context, can be killed at any moment and
 * takes no longer than the pause bound, two seconds for each lock of the
 * target's that somebody else holds, and the time to lay out the core.
 *
 * Reply, one message:
 *
 *	KCORESNAP_A_FD			s32, a new descriptor of the caller
 *					(O_RDONLY | O_CLOEXEC): a regular file of
 *					KCORESNAP_A_SIZE bytes, the core
 *	KCORESNAP_A_ID			u32, names the snapshot in LIST, CANCEL
 *					and events
 *	KCORESNAP_A_PID			u32, the thread group
 *	KCORESNAP_A_NS_PID		u32, the same in its own pid namespace
 *	KCORESNAP_A_TIME_NS		u64, the instant, since 1970 (UTC)
 *	KCORESNAP_A_MODE		u32, the mode taken
 *	KCORESNAP_A_SIZE		u64, size of the core
 *	KCORESNAP_A_DATA_BYTES		u64, upper bound of the bytes in it that
 *					are not holes
 *	KCORESNAP_A_INEXACT_BOUND	u64, upper bound of the bytes that may not
 *					be from the instant of the snapshot
 *	KCORESNAP_A_THREADS		u32, threads with registers in the core
 *	KCORESNAP_A_INEXACT_THREADS	u32, of these, threads whose floating-point
 *					notes are left out or whose registers
 *					could only be read while they ran in the
 *					kernel
 *	KCORESNAP_A_SEGMENTS		u32, PT_LOAD segments
 *	KCORESNAP_A_PAUSE_NS		u64, from the first thread asked to park
 *					until all were let go; in mode STOP, until
 *					now: LIST and the closed event tell the rest
 *	KCORESNAP_A_PARK_NS		u64, of this, until no thread could run
 *					user code
 *	KCORESNAP_A_REGS_NS		u64, reading registers (beside the clone)
 *	KCORESNAP_A_CLONE_NS		u64, copying the page tables
 *	KCORESNAP_A_PREDICTED_NS	u64, what the pause was predicted to be
 *	KCORESNAP_A_GROWTH_BOUND	u64, bytes by which memory use can grow
 *					while the snapshot is open
 *
 * The core ends its notes with one that says the same and more: threads with
 * their names and states, the kernel, the requester; see kcoresnap_core.h.
 *
 * A dry run replies MODE, THREADS, PREDICTED_NS, GROWTH_BOUND, DATA_BYTES and,
 * where the snapshot would be refused, KCORESNAP_A_REFUSAL (the sentence) with
 * KCORESNAP_A_ERRNO (s32, positive). It lays out no core, which takes a clone, so
 * its DATA_BYTES is not a bound from above but one from below: private memory, in
 * use or swapped out, that the filter includes, pages of zeros among it.
 *
 * The file supports read, pread, splice, sendfile and lseek with SEEK_DATA and
 * SEEK_HOLE (a hole reads as zeros; what is reported as data may hold zeros).
 * It can be reopened through /proc/PID/fd. The snapshot lives as long as the
 * file does, whoever holds it. Reading a snapshot that was dropped (cancelled,
 * because memory ran short, or because its lifetime was over) fails with
 * ECANCELED. With STREAM, reading or seeking for data before the furthest byte
 * that was read fails with EIO.
 *
 * splice into a pipe that others use never waits for the target's memory or
 * files, because it holds the pipe: where it would have to, it fails with
 * EINVAL, and that piece is to be read and written.
 *
 * In mode STOP the target stays paused until the last byte was read, the file is
 * closed, or the bound of the pause is reached, whichever is first. What is read
 * later is read live, and counted.
 *
 * Errors:
 *
 *	ESRCH		no such process, another start time, a kernel thread, a
 *			zombie, or the target exited or called execve meanwhile
 *	EPERM, EACCES	the policy or ptrace's rules say no
 *	EBUSY		as many snapshots as allowed are open
 *	ENODEV		the module is being removed
 *	EOPNOTSUPP	the mode can't be had here, or not on this target
 *	ETIME		the pause is predicted to be, or was, beyond the bound
 *	ENOMEM		the worst-case growth does not fit, or an allocation
 *			failed
 *	EAGAIN		the target kept changing, somebody held a lock of its
 *			for too long, or the snapshot had to be dropped before
 *			its core was laid out; try again
 *	EINVAL, ERANGE	a malformed, unknown or missing attribute, or another
 *			message behind this one in its datagram
 *	EINTR		the caller is being killed
 *
 *
 * KCORESNAP_CMD_LIST
 * ------------------
 * A dump (NLM_F_DUMP), no attribute: the caller's own snapshots (those that its
 * real uid asked for, of targets in its pid namespace), or all with
 * CAP_SYS_PTRACE in the initial user namespace; of these, where somebody else
 * opened the socket, only what that one may see too. Per snapshot: ID, PID (0
 * where the caller's pid namespace can't see it), MODE, SIZE, DATA_BYTES, THREADS,
 * PAUSE_NS and
 *
 *	KCORESNAP_A_COMM		string, the target's name
 *	KCORESNAP_A_UID			u32, who asked for it, in the caller's user
 *					namespace
 *	KCORESNAP_A_AGE_NS		u64, time since the instant
 *	KCORESNAP_A_READ_BYTES		u64, bytes read so far
 *	KCORESNAP_A_INEXACT_BYTES	u64, of these, not from the instant
 *	KCORESNAP_A_MISSED_BYTES	u64, of the inexact bytes those of private
 *					memory, which the mode promises to be exact:
 *					what was copied too late or not at all. In
 *					mode LIVE always 0
 *	KCORESNAP_A_LOST_BYTES		u64, of these, zeros in place of memory that
 *					could no longer be read
 *	KCORESNAP_A_DROPPED		u32, 0 if the snapshot stands, or why it was
 *					dropped: ECANCELED (by CANCEL), ENOMEM (memory
 *					ran short), ETIME (its lifetime was over)
 *
 *
 * KCORESNAP_CMD_CANCEL
 * --------------------
 * Request: KCORESNAP_A_ID. Drops the snapshot: its memory is given back, a target
 * that it holds is let go, its descriptors stay and read ECANCELED. ENOENT where
 * there is no such snapshot or LIST would not show it.
 *
 *
 * Multicast group "events"
 * ------------------------
 * Sent in the initial network namespace; joining takes CAP_SYS_ADMIN there.
 *
 *	KCORESNAP_CMD_TAKEN	ID, PID, COMM, UID, MODE, SIZE, THREADS, PAUSE_NS,
 *				PREDICTED_NS
 *	KCORESNAP_CMD_FAILED	PID, COMM, UID, ERRNO, REFUSAL
 *	KCORESNAP_CMD_CLOSED	ID, PID, COMM, UID, and the final PAUSE_NS,
 *				READ_BYTES, INEXACT_BYTES, MISSED_BYTES, LOST_BYTES,
 *				DROPPED
 *
 * pids in events are those of the initial pid namespace.
 */
#ifndef _UAPI_LINUX_KCORESNAP_H
#define _UAPI_LINUX_KCORESNAP_H

#define KCORESNAP_VERSION	"0.1.0"

#define KCORESNAP_GENL_NAME	"kcoresnap"
#define KCORESNAP_GENL_VERSION	1
#define KCORESNAP_MCGRP_EVENTS	"events"

#define KCORESNAP_MAX_PAUSE_US_LIMIT	60000000	/* microseconds */

enum kcoresnap_cmd {
	KCORESNAP_CMD_UNSPEC,
	KCORESNAP_CMD_INFO,
	KCORESNAP_CMD_SNAPSHOT,
	KCORESNAP_CMD_LIST,
	KCORESNAP_CMD_CANCEL,
	KCORESNAP_CMD_TAKEN,
	KCORESNAP_CMD_FAILED,
	KCORESNAP_CMD_CLOSED,
	__KCORESNAP_CMD_MAX
};
#define KCORESNAP_CMD_MAX (__KCORESNAP_CMD_MAX - 1)

enum kcoresnap_attr {
	KCORESNAP_A_UNSPEC,
	KCORESNAP_A_PAD,
	KCORESNAP_A_VERSION,
	KCORESNAP_A_MODES,
	KCORESNAP_A_MAX_SNAPSHOTS,
	KCORESNAP_A_ACTIVE,
	KCORESNAP_A_POLICY,
	KCORESNAP_A_PID,
	KCORESNAP_A_START_TIME,
	KCORESNAP_A_MODE,
	KCORESNAP_A_FILTER,
	KCORESNAP_A_MAX_PAUSE_US,
	KCORESNAP_A_ALLOW,
	KCORESNAP_A_DRY_RUN,
	KCORESNAP_A_FD,
	KCORESNAP_A_ID,
	KCORESNAP_A_SIZE,
	KCORESNAP_A_DATA_BYTES,
	KCORESNAP_A_INEXACT_BOUND,
	KCORESNAP_A_THREADS,
	KCORESNAP_A_INEXACT_THREADS,
	KCORESNAP_A_SEGMENTS,
	KCORESNAP_A_PAUSE_NS,
	KCORESNAP_A_PARK_NS,
	KCORESNAP_A_REGS_NS,
	KCORESNAP_A_CLONE_NS,
	KCORESNAP_A_PREDICTED_NS,
	KCORESNAP_A_GROWTH_BOUND,
	KCORESNAP_A_REFUSAL,
	KCORESNAP_A_ERRNO,
	KCORESNAP_A_COMM,
	KCORESNAP_A_UID,
	KCORESNAP_A_AGE_NS,
	KCORESNAP_A_READ_BYTES,
	KCORESNAP_A_INEXACT_BYTES,
	KCORESNAP_A_LOST_BYTES,
	KCORESNAP_A_DROPPED,
	KCORESNAP_A_STREAM,
	KCORESNAP_A_LIFETIME_S,
	KCORESNAP_A_PIDS,
	KCORESNAP_A_NS_PID,
	KCORESNAP_A_TIME_NS,
	KCORESNAP_A_MISSED_BYTES,
	__KCORESNAP_A_MAX
};
#define KCORESNAP_A_MAX (__KCORESNAP_A_MAX - 1)

/**
 * enum kcoresnap_mode - how the target's memory is taken
 * @KCORESNAP_MODE_AUTO: COW where it is safe and fits, else refused
 * @KCORESNAP_MODE_COW: copy-on-write snapshot; private anonymous memory and
 *	registers are exact
 * @KCORESNAP_MODE_STOP: no clone; the target is paused while it is read, at most
 *	for the bound of the pause; private anonymous memory that was read until
 *	then and registers are exact
 * @KCORESNAP_MODE_LIVE: no clone; registers are exact, memory is read live
 */
enum kcoresnap_mode {
	KCORESNAP_MODE_AUTO,
	KCORESNAP_MODE_COW,
	KCORESNAP_MODE_STOP,
	KCORESNAP_MODE_LIVE,
	__KCORESNAP_MODE_MAX
};
#define KCORESNAP_MODE_MAX (__KCORESNAP_MODE_MAX - 1)

/**
 * enum kcoresnap_pids - whose pids and tids the notes of a core have
 * @KCORESNAP_PIDS_TARGET: those of the target's pid namespace, as the kernel's own
 *	core has them
 * @KCORESNAP_PIDS_CALLER: those of the caller's; 0 for what it can't see
 */
enum kcoresnap_pids {
	KCORESNAP_PIDS_TARGET,
	KCORESNAP_PIDS_CALLER,
	__KCORESNAP_PIDS_MAX
};
#define KCORESNAP_PIDS_MAX (__KCORESNAP_PIDS_MAX - 1)

/**
 * enum kcoresnap_allow - risks that a request may accept
 * @KCORESNAP_ALLOW_MLOCKED: the target locked its memory to avoid page faults,
 *	and will take copy-on-write faults
 * @KCORESNAP_ALLOW_REALTIME: a thread runs under a real-time policy, and will
 *	take copy-on-write faults
 */
enum kcoresnap_allow {
	KCORESNAP_ALLOW_MLOCKED = 1 << 0,
	KCORESNAP_ALLOW_REALTIME = 1 << 1,
};
#define KCORESNAP_ALLOW_ALL (KCORESNAP_ALLOW_MLOCKED | KCORESNAP_ALLOW_REALTIME)

/**
 * enum kcoresnap_policy - module parameter "policy"
 * @KCORESNAP_POLICY_INIT_NS: CAP_SYS_PTRACE in the initial user namespace
 * @KCORESNAP_POLICY_TARGET_NS: CAP_SYS_PTRACE over the target's user namespace
 * @KCORESNAP_POLICY_PTRACE: whoever may ptrace-attach, provided that the sender
 *	also opened the socket, and has not changed its credentials since
 *
 * The capability must be had by the sender and by whoever opened the socket. On
 * top of each policy, ptrace's own rules for attaching apply (credentials,
 * dumpable, Yama and every other LSM).
 */
enum kcoresnap_policy {
	KCORESNAP_POLICY_INIT_NS,
	KCORESNAP_POLICY_TARGET_NS,
	KCORESNAP_POLICY_PTRACE,
	__KCORESNAP_POLICY_MAX
};
#define KCORESNAP_POLICY_MAX (__KCORESNAP_POLICY_MAX - 1)

#endif /* _UAPI_LINUX_KCORESNAP_H */
