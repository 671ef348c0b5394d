#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Soak: yes
#
# Who may: callers and targets of all kinds, by all policies, against a model of the rules: tests/guest/permissions.py.
. "$KCS_TREE/tests/guest/lib.sh"
. "$KCS_TREE/tests/guest/permissions.sh"

permissions "$(scaled 160)" table deputies listing events uring room
