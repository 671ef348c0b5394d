# SPDX-License-Identifier: GPL-2.0
#
# Usage: awk -f table.awk -v wanted=RATIO results.tsv
#
# The table of the demo, from what tests/demo/guest has measured: of several dumps the median, of EINTRs the most. At the end a
# line for each of what has to hold for the C service; the status is 1 if one does not.

BEGIN {
	FS = "\t"
	what["store"] = "store, a C service with debug information"
	what["redis"] = "redis-server under redis-benchmark"
	what["web"] = "web, a Go net/http service"
	tools = split("none kcoresnap gcore", tool, " ")
	title["none"] = "no dump"
	title["kcoresnap"] = "kcoresnap"
	title["gcore"] = "gcore"
}

function add(service, tool, name, value) {
	if (value != "-")
		values[service, tool, name, ++count[service, tool, name]] = value + 0
}

function median(service, tool, name,	n, i, j, v, t) {
	n = count[service, tool, name]
	if (!n)
		return -1
	for (i = 1; i <= n; i++)
		v[i] = values[service, tool, name, i]
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && v[j - 1] > v[j]; j--) {
			t = v[j]; v[j] = v[j - 1]; v[j - 1] = t
		}
	return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}

function ms(ns) {
	return ns < 0 ? "" : sprintf("%.1f ms", ns / 1e6)
}

function mib(bytes) {
	return bytes < 0 ? "" : sprintf("%.1f MiB", bytes / 1048576)
}

function seconds(ns) {
	return ns < 0 ? "" : sprintf("%.1f s", ns / 1e9)
}

function ratio(service,		ours, theirs) {
	ours = median(service, "kcoresnap", "gap")
	theirs = median(service, "gcore", "gap")
	return ours > 0 && theirs > 0 ? theirs / ours : 0
}

function verdict(good, text) {
	print (good ? "PASS  " : "FAIL  ") text
	if (!good)
		failed = 1
}

{
	if (!seen[$1]++)
		order[++services] = $1
	threads[$1] = $3
	resident[$1] = $4
	add($1, $2, "gap", $5)
	add($1, $2, "bystander", $6)
	add($1, $2, "pause", $7)
	add($1, $2, "size", $9)
	add($1, $2, "disk", $10)
	add($1, $2, "time", $11)
	if ($8 != "-" && $8 + 0 >= eintr[$1, $2] + 0)
		eintr[$1, $2] = $8 + 0
}

END {
	print "Service, tool     longest gap  gcore's is   bystander  pause said  EINTR    core size      on disk     time"
	for (s = 1; s <= services; s++) {
		service = order[s]
		printf "%s: %d threads, %d MiB resident\n", what[service], threads[service], resident[service] / 1024
		for (t = 1; t <= tools; t++) {
			name = tool[t]
			if (!count[service, name, "time"])
				continue
			printf "  %-12s %14s %11s %11s %11s %6s %12s %12s %8s\n", title[name],
				ms(median(service, name, "gap")),
				name == "kcoresnap" ? sprintf("%.0f times", ratio(service)) : "",
				ms(median(service, name, "bystander")), ms(median(service, name, "pause")),
				(service, name) in eintr ? eintr[service, name] : "",
				mib(median(service, name, "size")), mib(median(service, name, "disk")),
				name == "none" ? "" : seconds(median(service, name, "time"))
		}
	}
	print ""
	dumps = count["store", "kcoresnap", "gap"]
	if (dumps > 1)
		printf "Medians of %d dumps by each tool; of EINTRs the most that any dump caused.\n", dumps
	print "The gap is the longest time that a thread of the service did not run; of redis, the longest that a PING took"
	print "to be answered. The bystander is a process that nobody dumped: its gaps at the same time are the machine's."
	print "\"Pause said\" is from kcoresnap -v. EINTRs are counted by store, in epoll_wait, sigwaitinfo, semop and recv"
	print "with a timeout."
	print ""

	ours = median("store", "kcoresnap", "gap")
	bystander = median("store", "kcoresnap", "bystander")
	verdict(ratio("store") >= wanted, sprintf("the pause of store is %.0f times shorter than gcore's (%d wanted)",
		ratio("store"), wanted))
	if (ratio("store") < wanted && bystander > ours / 4)
		printf "      A process that nobody dumped saw a gap of %s at that time: try again when this machine is less busy.\n", ms(bystander)
	verdict(dumps && eintr["store", "kcoresnap"] == 0,
		sprintf("no system call of store was interrupted by kcoresnap (by gcore: up to %d a dump)", eintr["store", "gcore"]))
	exit failed
}
