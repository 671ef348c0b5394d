# SPDX-License-Identifier: GPL-2.0
#
# Count the results of a KTAP (or TAP) stream. Results without results nested under them are tests. A plan that was not met, a
# missing plan, and a failed group in which no test failed count as one failure more.
#
# Variables: prefix, put before every name; whole, what to call the stream. Prints a line "not ok NAME" with its diagnostics for
# each failure, a line "skip NAME # REASON" for each skip, and at the end "total PASSED FAILED SKIPPED".

BEGIN {
	seen_first = seen_next = 0
}

function fail(name,   d, i)
{
	failed++
	for (d = 0; d < depth; d++)
		failed_in[d]++
	print "not ok " prefix name
	for (i = seen_first; i < seen_next; i++)
		print "    " seen[i]
	seen_first = seen_next
	after_failure = 20
}

function full_name(name)
{
	return group[depth] == "" ? name : group[depth] "/" name
}

# The results at this depth are complete: was that the plan?
function close_group(depth, name)
{
	if (plan[depth] == "")
		fail(name " (no plan: it ended early)")
	else if (plan[depth] + 0 != count[depth] + 0)
		fail(name " (" plan[depth] " planned, " (count[depth] + 0) " run)")
	delete plan[depth]
	delete count[depth]
	delete plan_skipped[depth]
	delete group[depth]
}

{
	sub(/\r$/, "")
	match($0, /^ */)
	depth = RLENGTH
	line = substr($0, depth + 1)
}

line ~ /^(KTAP|TAP) version / {
	next
}

line ~ /^# Subtest: / {
	group[depth] = substr(line, 12)
	next
}

line ~ /^1\.\.[0-9]+/ {
	plan[depth] = substr(line, 4) + 0
	if (depth > deepest)
		deepest = depth
	if (plan[depth] == 0 && line ~ /# *[Ss][Kk][Ii][Pp]/) {
		plan_skipped[depth] = line
		sub(/^[^#]*# *[Ss][Kk][Ii][Pp][^ ]* */, "", plan_skipped[depth])
	}
	next
}

line ~ /^(not )?ok([ \t]|$)/ {
	good = line !~ /^not/
	name = line
	sub(/^(not )?ok[ \t]*/, "", name)
	sub(/^[0-9]+[ \t]*/, "", name)
	sub(/^- /, "", name)
	reason = ""
	if (match(name, /[ \t]*# *[Ss][Kk][Ii][Pp]/)) {
		reason = substr(name, RSTART + RLENGTH)
		name = substr(name, 1, RSTART - 1)
		sub(/^[^ ]* */, "", reason)
		skipping = 1
	} else {
		skipping = 0
	}

	nested = 0
	before = failed
	for (d = deepest; d > depth; d--) {
		if (plan[d] == "" && !count[d])
			continue
		nested = 1
		if (plan_skipped[d] != "") {
			skipped++
			print "skip " prefix name " # " plan_skipped[d]
		} else if (plan[d] == "0") {
			fail(name " (it has no tests)")
		}
		close_group(d, name)
	}
	deepest = depth
	count[depth]++
	if (nested) {
		group_failed = failed > before || failed_in[depth] > 0
		if (!good && !group_failed)
			fail(name)
		failed_in[depth] = 0
	} else if (skipping && good) {
		skipped++
		print "skip " prefix full_name(name) " # " reason
	} else if (good) {
		passed++
	} else {
		fail(full_name(name))
	}
	if (good)
		after_failure = 0
	seen_first = seen_next
	next
}

{
	sub(/^# ?/, "", line)
	if (after_failure > 0) {
		after_failure--
		print "    " line
		next
	}
	seen[seen_next++] = line
	if (seen_next - seen_first > 40)
		delete seen[seen_first++]
}

END {
	for (d = deepest; d > 0; d--)
		if (plan[d] != "" || count[d])
			close_group(d, group[d] == "" ? whole : group[d])
	close_group(0, whole)
	print "total " (passed + 0) " " (failed + 0) " " (skipped + 0)
}
