# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced after lib.sh: permissions COUNT PART... plans and reports the parts of tests/guest/permissions.py.

permissions()
{
	local verdict name

	install -m 4755 "$KCS_TARGETS/perm" "$KCS_TMP/setuid"
	while read -r verdict name; do
		case $verdict in
		plan) plan "$name" ;;
		ok) ok "$name" ;;
		not) not_ok "$name" ;;
		skip) skip "${name%% # *}" "${name#* # }" ;;
		"#") diag "$name" ;;
		esac
	done < <(python3 "$KCS_TREE/tests/guest/permissions.py" "$KCS_TARGETS/perm" "$KCS_TMP/setuid" "$@")
}
