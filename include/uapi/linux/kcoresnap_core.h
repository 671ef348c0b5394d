/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The note in which a core from kcoresnap says how it was taken. It is the last
 * note of the core, with owner "KCORESNAP" and type KCORESNAP_NT_SNAPSHOT, which
 * debuggers skip; in cores of 32-bit programs it is the same.
 *
 * Its descriptor is a struct kcoresnap_note, padded to @size bytes, then @threads
 * records of @thread_size bytes, each of which begins with a struct
 * kcoresnap_note_thread. Integers are little-endian. The descriptor is aligned to
 * 4 bytes only: copy what is read.
 *
 * A later version appends fields, and @size and @thread_size grow; a reader takes
 * as much as it knows, and as zero what is not there. Where what is there changes
 * its meaning, @version does.
 *
 * What is known only once the core was read is not in it: bytes that were inexact
 * or lost are told by KCORESNAP_CMD_LIST and the closed event.
 */
#ifndef _UAPI_LINUX_KCORESNAP_CORE_H
#define _UAPI_LINUX_KCORESNAP_CORE_H

#include <linux/types.h>

#define KCORESNAP_NOTE_OWNER	"KCORESNAP"
#define KCORESNAP_NT_SNAPSHOT	0x4b435331	/* no type that others give a meaning */
#define KCORESNAP_NOTE_VERSION	1

#define KCORESNAP_NOTE_RELEASE_LEN	72
#define KCORESNAP_NOTE_VERSION_LEN	24
#define KCORESNAP_NOTE_NAME_LEN		16

/**
 * enum kcoresnap_note_flags - what has to be known of a thread
 * @KCORESNAP_NOTE_THREAD_INEXACT: its floating-point notes are left out, or its
 *	registers could only be read while it ran in the kernel
 */
enum kcoresnap_note_flags {
	KCORESNAP_NOTE_THREAD_INEXACT = 1 << 0,
};

/**
 * struct kcoresnap_note - how a core was taken
 * @version: KCORESNAP_NOTE_VERSION
 * @size: of this structure
 * @thread_size: of a thread's record
 * @threads: records of threads
 * @mode: enum kcoresnap_mode, never AUTO
 * @filter: what memory was to be included, as in /proc/PID/coredump_filter
 * @pids: enum kcoresnap_pids: whose pids the other notes have
 * @pid: the process, in the requester's pid namespace
 * @ns_pid: the process, in its own pid namespace
 * @requester_pid: who asked, in its own pid namespace
 * @requester_uid: its real uid, in its own user namespace
 * @reserved: 0
 * @time_ns: the instant of the snapshot, nanoseconds since 1970 (UTC)
 * @pause_ns: how long the process was paused; in mode STOP, until the core was
 *	laid out
 * @park_ns: of this, until no thread could run user code
 * @regs_ns: reading registers (beside the clone)
 * @clone_ns: copying the page tables
 * @max_pause_ns: the bound of the pause
 * @inexact_bound: upper bound of the bytes that may not be from the instant
 * @release: the kernel's, as uname -r has it
 * @module: the module's version
 * @comm: the name of the process
 *
 * Strings are padded with NULs, at least one.
 */
struct kcoresnap_note {
	__u32 version;
	__u32 size;
	__u32 thread_size;
	__u32 threads;
	__u32 mode;
	__u32 filter;
	__u32 pids;
	__u32 pid;
	__u32 ns_pid;
	__u32 requester_pid;
	__u32 requester_uid;
	__u32 reserved;
	__u64 time_ns;
	__u64 pause_ns;
	__u64 park_ns;
	__u64 regs_ns;
	__u64 clone_ns;
	__u64 max_pause_ns;
	__u64 inexact_bound;
	char release[KCORESNAP_NOTE_RELEASE_LEN];
	char module[KCORESNAP_NOTE_VERSION_LEN];
	char comm[KCORESNAP_NOTE_NAME_LEN];
};

/**
 * struct kcoresnap_note_thread - one thread, in the order of the NT_PRSTATUS notes
 * @tid: in the requester's pid namespace
 * @ns_tid: in its own
 * @state: at the instant, a letter as in /proc/PID/stat: R, S, D, T or t
 * @flags: enum kcoresnap_note_flags
 * @name: padded with NULs, at least one
 */
struct kcoresnap_note_thread {
	__u32 tid;
	__u32 ns_tid;
	__u32 state;
	__u32 flags;
	char name[KCORESNAP_NOTE_NAME_LEN];
};

#endif /* _UAPI_LINUX_KCORESNAP_CORE_H */
