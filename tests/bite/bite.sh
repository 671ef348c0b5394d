# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For the scripts here, which have set $top to the top of the tree: run tests with copies of this tree that have a fault planted, which the tests should find.
#
#   plant FILE TEXT REPLACEMENT	a new copy, at $copy, in which the only TEXT in FILE is replaced
#   plant_more FILE TEXT REPLACEMENT	likewise, in the copy that there is
#   run_copy TESTS ROW...	run these tests with the copy; they are expected to fail

# shellcheck disable=SC2154
. "$top/tests/vm/common.sh"

scratch=$(mktemp -d "${TMPDIR:-/tmp}/kcoresnap.bite.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
copy=$scratch/tree
# The roots of all, but a place to build in that no other run takes anything from.
mkdir -p "$cache/roots" "$cache/kernels" "$scratch/cache"
ln -s "$cache/roots" "$cache/kernels" "$scratch/cache"

plant()
{
	rm -rf "$copy"
	mkdir "$copy"
	(cd "$top" && git -c safe.directory='*' ls-files -co --exclude-standard | while IFS= read -r file; do
		[ ! -e "$file" ] || printf '%s\n' "$file"
	done | tar -c --no-recursion -T -) | tar -C "$copy" -x
	plant_more "$@"
}

plant_more()
{
	python3 - "$copy/$1" "$2" "$3" <<-'END' || die "$1 no longer has, in one place: $2"
		import sys
		path, old, new = sys.argv[1:]
		with open(path) as file:
		    text = file.read()
		if text.count(old) != 1:
		    sys.exit(1)
		with open(path, "w") as file:
		    file.write(text.replace(old, new))
	END
}

run_copy()
{
	local tests=$1

	shift
	KCORESNAP_CACHE=$scratch/cache TESTS=$tests "$copy/tests/run" "$@" || :
}
