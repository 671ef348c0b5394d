# SPDX-License-Identifier: GPL-2.0
#
# Sum up a guest's console.log and ktap.log (or those of several guests): a line "TOTAL NAME" for the snapshots and for each thing
# that tests have counted with tally, then how long the snapshots stopped their targets, and each pause that was longer than the
# bound that was asked for, with the test it was in. What was cut off at its bound was refused; of such lines the kernel's log has
# no more than ten each five seconds.

function sort(values, n,   gap, i, j, value)
{
	for (gap = int(n / 2); gap > 0; gap = int(gap / 2))
		for (i = gap + 1; i <= n; i++) {
			value = values[i]
			for (j = i; j > gap && values[j - gap] > value; j -= gap)
				values[j] = values[j - gap]
			values[j] = value
		}
}

# The smallest of the sorted values that is at or above that share of them.
function quantile(share,   i)
{
	i = int(share * count)
	return pause[i < share * count ? i + 1 : i]
}

{
	sub(/\r$/, "")
}

/^ *# soak [^ ]+ [0-9]+$/ {
	if (!($3 in total))
		name[++names] = $3
	total[$3] += $4
}

# Only the console's lines start like this.
!/^\[/ {
	next
}

match($0, /init: .* starts$/) {
	script = substr($0, RSTART + 6, RLENGTH - 13)
}

match($0, /kcoresnap: snapshot [0-9]+ of .* threads, pause [0-9]+ us/) {
	text = substr($0, RSTART + 11)
	us = text
	sub(/.* threads, pause /, "", us)
	bound = us ~ /^[0-9]+ us of at most [0-9]+ us/ ? us : ""
	sub(/^[0-9]+ us of at most /, "", bound)
	pause[++count] = us + 0
	if (bound != "" && us + 0 > bound + 0)
		beyond[++beyonds] = script ": " text
}

/kcoresnap: snapshot of .* refused: the pause reached its bound/ {
	cut++
}

END {
	printf "%d snapshots\n", count
	for (i = 1; i <= names; i++)
		printf "%d %s\n", total[name[i]], name[i]
	if (!count)
		exit
	sort(pause, count)
	printf "pauses: median %d us, p90 %d us, p99 %d us, longest %d us; %d beyond the bound, %d cut off\n",
		quantile(0.5), quantile(0.9), quantile(0.99), pause[count], beyonds, cut
	for (i = 1; i <= beyonds; i++)
		print "  beyond its bound: " beyond[i]
}
