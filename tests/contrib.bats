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

# --- packages

# What configure calls the version.
version()
{
	sed -n 's/^AC_INIT(\[pneu\], \[\(.*\)\])/\1/p' "$PNEU_SRC/configure.ac"
}

@test "packages are of the version that this is" {
	assert_regex "$(version)" '^[0-9]+\.[0-9]+\.[0-9]+$'
	assert_equal "$(sed -n 's/^Version: *//p' "$contrib/pneu.spec")" "$(version)"
	assert_equal "$(sed -n '1s/^pneu (\([^-]*\)-.*).*/\1/p' "$contrib/debian/changelog")" "$(version)"
}

# The files of contrib that a rule installs by their names.
named()
{
	sed -n '/^#/!p' "$1" | grep -oE '(^|[ =])contrib/[A-Za-z][A-Za-z0-9/._@-]*' | tr -d ' ='
}

@test "packages: what is installed by its name is there" {
	local file

	for file in $(named "$contrib/debian/rules") $(named "$contrib/pneu.spec") \
	    $(cat "$contrib/debian/pneu.docs"); do
		assert [ -n "$(compgen -G "$PNEU_SRC/$file*")" ]
	done
	assert [ "$(named "$contrib/debian/rules" | wc -l)" -gt 3 ]
	assert [ "$(named "$contrib/pneu.spec" | wc -l)" -gt 3 ]
}

@test "Debian: control and changelog can be read" {
	need dpkg-parsechangelog dpkg-dev
	run --separate-stderr dpkg-parsechangelog -l "$contrib/debian/changelog" -S Source
	assert_success
	assert_output pneu
	assert_equal "$stderr" ""
	mkdir debian
	cp "$contrib/debian/control" "$contrib/debian/changelog" debian
	run --separate-stderr dpkg-gencontrol -ppneu-mta -Pmta -O -Tdebian/substvars
	assert_line 'Provides: mail-transport-agent'
}

@test "RPM: the spec can be read" {
	need rpmspec rpm
	run --separate-stderr rpmspec -q --qf '%{name} %{version}\n' "$contrib/pneu.spec"
	assert_success
	assert_line "pneu $(version)"
	assert_equal "$stderr" ""
	run rpmspec -P "$contrib/pneu.spec"
	assert_success
	refute_output --partial '%{'
}

# Those that tests/image does.
@test "Docker: the file has no step that nobody has tried" {
	run awk '/^[A-Z]/ { print $1 }' "$contrib/Dockerfile"
	assert_output "$(printf '%s\n' FROM RUN COPY WORKDIR RUN RUN FROM COPY ENV USER ENTRYPOINT)"
}
