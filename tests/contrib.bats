#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# What contrib has for those who install pneu on many machines.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
	cd "$BATS_TEST_TMPDIR" || return 1
	contrib=$PNEU_SRC/contrib
}

# need COMMAND PACKAGE
need()
{
	command -v "$1" >/dev/null || skip "$2 is not installed (apt-get install $2)"
}

# --- AppArmor

@test "AppArmor: the profile can be compiled" {
	PATH=$PATH:/sbin:/usr/sbin
	need apparmor_parser apparmor
	[ -e /etc/apparmor.d/abstractions/private-files-strict ] || skip "AppArmor has no abstractions here"
	run apparmor_parser --skip-kernel-load --skip-cache "$contrib/apparmor/usr.bin.pneu"
	assert_success
	# and so that the test can fail
	sed 's/ rwkl,/ rwkz,/' "$contrib/apparmor/usr.bin.pneu" >profile
	run apparmor_parser --skip-kernel-load --skip-cache profile
	assert_failure
}

