/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Results for programs, where --json is given: one JSON value per line. What would
 * have been said to people is then in it:
 *
 *	"error": SENTENCE	of what failed, beside "exit_code"
 *	"notes": [SENTENCE...]	what else was said, if anything
 *
 * Members are called as their attribute in <linux/kcoresnap.h>, in lower case, and
 * have its unit. They are only ever added.
 */
#ifndef KCS_JSON_H
#define KCS_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <json-c/json_object.h>

#include "exit.h"

/**
 * kcs_json_start() - from here on, results are JSON and sentences are kept for them
 * @fd: where they go
 *
 * May be called again to go elsewhere.
 */
void kcs_json_start(int fd);

/** kcs_json_on() - are results JSON? */
bool kcs_json_on(void);

/**
 * kcs_json_print() - print a value with what was kept
 * @value: its reference is given up; an object gets "exit_code", and "error" and
 *	"notes" of what was kept; NULL is an object that is else empty
 * @ret: how what it tells of ended
 *
 * Return: @ret; KCS_EXIT_OUTPUT where it was KCS_EXIT_OK and writing failed.
 */
enum kcs_exit kcs_json_print(struct json_object *value, enum kcs_exit ret);

/**
 * kcs_json_line() - print a value as it is
 * @value: its reference is given up
 *
 * Return: KCS_EXIT_OK, or KCS_EXIT_OUTPUT once that has been said.
 */
enum kcs_exit kcs_json_line(struct json_object *value);

/**
 * kcs_json_print_rest() - print what was kept since the last value
 * @exit_code: of the tool
 *
 * Prints nothing where nothing was kept. What is wrong with the command line goes to
 * stderr: where results would have gone may depend on it. Called when the tool
 * ends, by a signal too.
 */
void kcs_json_print_rest(int exit_code);

/* Add a member; the reference to @value is given up. */
void kcs_json_add(struct json_object *object, const char *name,
		  struct json_object *value);
void kcs_json_add_u64(struct json_object *object, const char *name,
		      uint64_t value);
void kcs_json_add_text(struct json_object *object, const char *name,
		       const char *text);

/** kcs_json_text() - a string; bytes that are not UTF-8 become U+FFFD */
struct json_object *kcs_json_text(const char *text);

#endif /* KCS_JSON_H */
