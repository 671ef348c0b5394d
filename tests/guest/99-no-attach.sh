#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Yama's ptrace_scope 3, which only the next boot takes back: so this is last.
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/permissions.sh"

permissions "$(scaled 40)" no-attach
