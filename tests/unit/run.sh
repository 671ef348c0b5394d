#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# run.sh PROGRAM...: run cmocka programs, print their results as one TAP stream.
# A program that dies without a result for each of its tests is a failure.

total=0
failed=0

for program; do
	name=${program##*/}
	results=$(CMOCKA_MESSAGE_OUTPUT=TAP "$program" 2>&1)
	status=$?
	planned=0
	seen=0
	bad=0

	while IFS= read -r line; do
		case $line in
		1..*)
			planned=${line#1..}
			;;
		"ok "* | "not ok "*)
			seen=$((seen + 1))
			verdict=ok
			case $line in "not ok "*) verdict="not ok" bad=1 ;; esac
			total=$((total + 1))
			echo "$verdict $total - $name: ${line#* - }"
			;;
		"TAP version "* | "# ok - "* | "# not ok - "*) ;;
		*)
			printf '# %s\n' "$line"
			;;
		esac
	done <<-END
		$results
	END

	if [ "$seen" -ne "$planned" ] || [ "$planned" -eq 0 ] ||
		{ [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; }; then
		total=$((total + 1))
		bad=1
		echo "not ok $total - $name: ended with status $status after $seen of $planned tests"
	fi
	failed=$((failed + bad))
done

echo "1..$total"
[ "$failed" -eq 0 ]
