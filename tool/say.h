/* SPDX-License-Identifier: GPL-2.0 */
/* What the tool tells people: sentences and a progress line on stderr. */
#ifndef KCS_SAY_H
#define KCS_SAY_H

#include <stdbool.h>

/**
 * kcs_say() - print one line "kcoresnap: ..." on stderr
 * @fmt: the sentence, without a newline
 *
 * An open progress line is erased first. Control characters, which the name of
 * a process or file may hold, become '?'. May be called from any thread.
 */
__attribute__((format(printf, 1, 2)))
void kcs_say(const char *fmt, ...);

/**
 * kcs_say_divert() - send what is said elsewhere
 * @keep: takes each line of kcs_say() without "kcoresnap: ", from any thread; NULL
 *	for stderr
 * @end: called by kcs_say_end(), or NULL
 */
void kcs_say_divert(void (*keep)(const char *sentence),
		    void (*end)(int exit_code));

/** kcs_say_mute() - whether kcs_say() says nothing; by the main thread only */
void kcs_say_mute(bool mute);

/** kcs_say_end() - the tool ends here, with @exit_code */
void kcs_say_end(int exit_code);

/**
 * kcs_say_progress() - tell how far it is, on stderr in any case; but not where
 *	that would have to wait
 * @replace: in place of the line before, as on a terminal
 * @fmt: the line
 */
__attribute__((format(printf, 2, 3)))
void kcs_say_progress(bool replace, const char *fmt, ...);

/** kcs_say_progress_end() - erase what would have been replaced */
void kcs_say_progress_end(void);

/**
 * kcs_printable() - replace control characters by '?'
 * @text: changed in place
 */
void kcs_printable(char *text);

#endif /* KCS_SAY_H */
