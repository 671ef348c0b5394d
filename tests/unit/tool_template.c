// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "template.h"
#include "test.h"

static const struct kcs_facts facts = {
	.pid = 4242, .inner_pid = 7, .tid = 4250, .inner_tid = 9,
	.uid = 1000, .gid = 1001, .time = 1700000000,
	.core_limit = UINT64_MAX, .cpu = 3, .dumpable = 2,
	.host = "box", .comm = "web/0", .exe = "/usr/bin/web srv",
};

static void expands_with(const struct kcs_facts *with, const char *text,
			 const char *want)
{
	char *name;
	char bad = 'x';

	assert_int_equal(kcs_template_check(text, &bad), 0);
	name = kcs_template_expand(text, with);
	assert_non_null(name);
	assert_string_equal(name, want);
	free(name);
}

static void expands(const char *text, const char *want)
{
	expands_with(&facts, text, want);
}

static void each_specifier_has_its_value(void **state)
{
	expands("%p", "7");
	expands("%P", "4242");
	expands("%i", "9");
	expands("%I", "4250");
	expands("%u", "1000");
	expands("%g", "1001");
	expands("%s", "0");
	expands("%t", "1700000000");
	expands("%h", "box");
	expands("%e", "web!0");
	expands("%f", "web srv");
	expands("%E", "!usr!bin!web srv");
	expands("%c", "18446744073709551615");
	expands("%C", "3");
	expands("%d", "2");
	expands("%%", "%");
}

static void the_rest_is_kept(void **state)
{
	expands("", "");
	expands("core", "core");
	expands("a/%e.%p/b", "a/web!0.7/b");
	expands("100%%p", "100%p");
	expands("%%%p%%", "%7%");
	expands("%p%P", "74242");
}

static void no_value_leads_elsewhere(void **state)
{
	struct kcs_facts odd = facts;

	odd.comm = "..";
	expands_with(&odd, "/var/%e/core", "/var/!./core");
	odd.comm = ".";
	expands_with(&odd, "%e", "!");
	odd.comm = "";
	expands_with(&odd, "/var/%e/core", "/var/!/core");
	odd.comm = "../../etc";
	expands_with(&odd, "%e", "..!..!etc");
	odd.comm = "...";
	expands_with(&odd, "%e", "...");
	odd.comm = "%p%%";
	expands_with(&odd, "%e", "%p%%");
	odd.host = "/";
	expands_with(&odd, "%h", "!");
	odd.exe = "/a/";
	expands_with(&odd, "%f", "!");
	odd.exe = "name";
	expands_with(&odd, "%f %E", "name name");
	odd.comm = "k/1";
	odd.exe = NULL;
	expands_with(&odd, "%E", "k!1 (path unknown)");
	expands_with(&odd, "%f", "k!1 (path unknown)");
}

static void wrong(const char *text, char want)
{
	char bad = 'x';

	assert_int_equal(kcs_template_check(text, &bad), -EINVAL);
	assert_int_equal(bad, want);
}

static void unknown_specifiers_are_told(void **state)
{
	wrong("%", '\0');
	wrong("core.%", '\0');
	wrong("%%%", '\0');
	wrong("core.%z", 'z');
	wrong("%p.%F", 'F');
	wrong("% p", ' ');
}

static void uses_are_found(void **state)
{
	assert_true(kcs_template_uses("a%d", "d"));
	assert_true(kcs_template_uses("%p%d", "xd"));
	assert_false(kcs_template_uses("%%d", "d"));
	assert_false(kcs_template_uses("d", "d"));
	assert_false(kcs_template_uses("%", "d"));
}

static void processes_are_told_apart(void **state)
{
	assert_true(kcs_template_tells_apart("core.%P"));
	assert_true(kcs_template_tells_apart("core.%I"));
	assert_true(kcs_template_tells_apart("core.%e.%p"));
	assert_true(kcs_template_tells_apart("%i/core"));
	assert_false(kcs_template_tells_apart("core.%e.%t"));
	assert_false(kcs_template_tells_apart("core.%%P"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_specifier_has_its_value),
		cmocka_unit_test(the_rest_is_kept),
		cmocka_unit_test(no_value_leads_elsewhere),
		cmocka_unit_test(unknown_specifiers_are_told),
		cmocka_unit_test(uses_are_found),
		cmocka_unit_test(processes_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
