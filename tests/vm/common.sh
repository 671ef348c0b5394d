# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Shared by the host-side scripts. The caller has set $top to the top of the tree.

# shellcheck disable=SC2154
kernels_table=$top/tests/kernels
cache=${KCORESNAP_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/kcoresnap}

say()
{
	printf '%-12s %s\n' "[${row:-host}]" "$*" >&2
}

die()
{
	say "$*"
	exit 1
}

need_root()
{
	[ "$(id -u)" -eq 0 ] || die "The test guests are built in chroots, which needs root: run this again with sudo."
}

# need PROGRAM=PACKAGE...: install the packages of the programs that are missing.
need()
{
	local pair missing=()

	for pair; do
		command -v "${pair%%=*}" >/dev/null 2>&1 || missing+=("${pair#*=}")
	done
	[ ${#missing[@]} -gt 0 ] || return 0

	say "installing ${missing[*]}"
	mkdir -p "$cache"
	(
		flock 9
		export DEBIAN_FRONTEND=noninteractive
		apt_install()
		{
			apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${missing[@]}"
		}
		apt_install || { apt-get -qq update && apt_install; }
	) 9>"$cache/apt.lock" >"$cache/apt.log" 2>&1 ||
		die "Could not install ${missing[*]} (log: $cache/apt.log): install them with apt-get and try again."
}

# need_packages PACKAGE...: install those that are missing.
need_packages()
{
	local package missing=()

	for package; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
			missing+=("$package=$package")
	done
	[ ${#missing[@]} -eq 0 ] || need "${missing[@]}"
}

row_names()
{
	awk '!/^#/ && NF { print $1 }' "$kernels_table"
}

# all_names: the rows that "all" stands for
all_names()
{
	awk '!/^#/ && NF && $11 == "yes" { print $1 }' "$kernels_table"
}

# row_load ROW: set row, suite, kernel, kernel_from, slow, memory, cpus, cpu and budget from the table.
row_load()
{
	# shellcheck disable=SC2034
	read -r row suite kernel kernel_from _ slow memory cpus cpu budget _ < <(
		awk -v row="$1" '!/^#/ && $1 == row' "$kernels_table") ||
		die "There is no row '$1' in tests/kernels: choose from $(row_names | tr '\n' ' ')or 'all'."
}
