#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# What shells complete and Vim colours, as built from the tables of options and settings.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
	load offline
	made=$PNEU_BUILD/contrib
	[ -e "$made/completion/bash/pneu" ] || skip "built for another machine"
	printf '%s\n' 'server smtp://x.example' '  account work' 'ACCOUNT "home" # at night' \
	    '# account never' 'from account@x.example' >config
	mkdir 'a dir'
	touch 'my file.pem'
	export PNEU_BUILD
}

# completed WORD ...: what bash is told when a line ends in these words; "=" is one.
completed()
{
	bash --norc -c '. "$PNEU_BUILD/contrib/completion/bash/pneu"
	    COMP_WORDS=("$@")
	    COMP_CWORD=$(($# - 1))
	    _pneu "$1" "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"; printf "%s\n" "${COMPREPLY[@]}"' bash "$@" |
	    tr '\n' ' '
}

# --- bash

@test "bash: options by their beginning" {
	assert_equal "$(completed pneu --tls-c)" "--tls-ca= --tls-crl= --tls-cert= "
	assert_equal "$(completed pneu bob@x.example --verb)" "--verbose "
	assert_equal "$(completed pneu --queue)" "--queue --queue= --queue-lifetime= "
	assert_equal "$(completed pneu -- --tls-c)" " "
	assert_equal "$(completed pneu my)" " "
}

@test "bash: the values of an option, behind = and as a word of its own" {
	assert_equal "$(completed pneu --tls =)" "none may encrypt tofu fingerprint verify "
	assert_equal "$(completed pneu --tls = v)" "verify "
	assert_equal "$(completed pneu --tls v)" "verify "
	assert_equal "$(completed pneu --tls=v)" "--tls=verify "
	assert_equal "$(completed pneu --auth = OAUTH)" "OAUTHBEARER "
	assert_equal "$(completed pneu --dsn-notify = success,f)" "success,failure "
	assert_equal "$(completed pneu --server = submissions)" "submissions:// "
	# what may stand alone takes no next word
	assert_equal "$(completed pneu --partial n)" " "
	assert_equal "$(completed pneu --partial = n)" "no "
}

@test "bash: files and directories" {
	assert_equal "$(completed pneu --tls-ca = my)" "my file.pem "
	assert_equal "$(completed pneu --tls-ca=my)" '--tls-ca=my\ file.pem '
	assert_equal "$(completed pneu --queue = a)" "a dir "
	assert_equal "$(completed pneu --queue = my)" " "
	assert_equal "$(completed pneu --log = j)" "journal "
}

@test "bash: the accounts of the configuration" {
	assert_equal "$(completed pneu --config = config --account = '')" "work home "
	assert_equal "$(completed pneu --config config -a w)" "work "
	assert_equal "$(completed pneu --config=config -a w)" "work "
	assert_equal "$(PNEU_CONFIG=config completed pneu -a h)" "home "
	mkdir -p .config/pneu
	echo 'account other' >.config/pneu/config
	assert_equal "$(completed pneu -a '')" "other "
}

@test "bash: nothing in a configuration is run" {
	# shellcheck disable=SC2016
	echo 'account $(touch${IFS}run)`touch${IFS}run`' >config
	assert_regex "$(completed pneu --config config -a '')" 'touch'
	assert [ ! -e run ]
}

@test "bash: what waits in the spool" {
	pneu "${nowhere[@]}" --queue="$PWD/spool" -odq bob@x.example <letter
	assert_success
	id=$("$PNEU" --queue="$PWD/spool" --list | sed -n 's/ .*@x.example$//p')
	assert_regex "$id" '^[0-9a-f]{8,}$'
	printf '#!/bin/sh\nexec "%s" --config=/dev/null --queue="%s" "$@"\n' "$PNEU" "$PWD/spool" >mine
	chmod +x mine
	assert_equal "$(completed ./mine --show = '')" "$id "
	assert_equal "$(completed ./mine --drop "${id:0:4}")" "$id "
}

# typed SHELL KEYS: what pneu was called with by a line that is typed at a terminal, \t for the key.
typed()
{
	command -v script >/dev/null || skip "script is not installed (apt-get install bsdutils)"
	rm -f ready called
	# shellcheck disable=SC2059
	{
		until_true test -e ready
		printf "$2"'\nexit\n'
	} | TERM=dumb timeout 30 script -qec "$1" /dev/null >typescript 2>&1
	cat called
}

@test "bash: at a terminal" {
	cat >bashrc <<-'END'
		. "$PNEU_BUILD/contrib/completion/bash/pneu"
		pneu() { printf '<%s>' "$@" >called; }
		PS1=
		touch ready
	END
	assert_equal "$(typed 'bash --noprofile --rcfile bashrc -i' \
	    'pneu --tls=ver\t --tls-ca=my\t --tls-ce\tx --server=smtp:\tx --queue=a\t')" \
	    '<--tls=verify><--tls-ca=my file.pem><--tls-cert=x><--server=smtp:x><--queue=a dir/>'
	assert_equal "$(typed 'bash --noprofile --rcfile bashrc -i' \
	    'pneu --config=con\t -a ho\t --server=sm\tx b')" \
	    '<--config=config><-a><home><--server=smtp://x><b>'
}

# --- what the table of words says

long_options()
{
	grep -oE -- '--[a-z-]+' | sort -u
}

@test "each option of --help is completed, and no other" {
	run comm -3 <("$PNEU" --help | sed -n 's/^  \( *\|-., \)\(--[^ ]*\) .*/\2/p' | long_options) \
	    <(completed pneu -- | long_options)
	assert_output ""
	sed -n 's/^complete -c pneu -l \([a-z-]*\).*/--\1/p' "$made/completion/fish/pneu.fish" >fish
	run comm -3 <(completed pneu -- | long_options) <(long_options <fish)
	assert_output ""
	assert [ "$(completed pneu -- | long_options | wc -l)" -gt 50 ]
}

@test "each value that is completed is taken" {
	local option word

	sed -n 's/^	\(--[a-z-]*\).*words=(\(.*\)).*/\1 \2/p' "$made/completion/bash/pneu" >values
	while read -r option word; do
		for word in $word; do
			if [[ $word == *:// || $word == *: ]]; then
				word=${word}x.example
			fi
			pneu --config=/dev/null "$option=$word" -bv bob@x.example
			[ "$status" -ne 64 ] || fail "$option=$word: $stderr"
		done
	done <values
	assert [ "$(wc -w <values)" -gt 50 ]
	# and so that the test can fail
	pneu --config=/dev/null --tls=perhaps -bv bob@x.example
	assert_failure 64
}

# --- zsh

@test "zsh: at a terminal" {
	need zsh
	zsh -n "$made/completion/zsh/_pneu"
	cat >.zshrc <<-'END'
		fpath=($PNEU_BUILD/contrib/completion/zsh $fpath)
		autoload -U compinit
		compinit -u -D
		pneu() { printf '<%s>' "$@" >called }
		PS1=
		bindkey '^I' complete-word
		setopt no_beep
		touch ready
	END
	assert_equal "$(typed 'zsh -i' 'pneu --tls=ver\t --tls-ca=my\t --tls-ce\tx --log=j\t --queue=a\t')" \
	    '<--tls=verify><--tls-ca=my file.pem><--tls-cert=x><--log=journal><--queue=a dir>'
	assert_equal "$(typed 'zsh -i' \
	    'pneu --config config -a ho\t --server=smtp\tx --dsn-notify=success,fa\t --par\t b')" \
	    '<--config><config><-a><home><--server=smtp://x><--dsn-notify=success,failure><--partial><b>'
}

# --- fish

fished()
{
	fish --no-config -c ". '$made/completion/fish/pneu.fish'; complete -C '$1'" | cut -f 1 | sort |
	    tr '\n' ' '
}

@test "fish" {
	need fish
	fish --no-config -n "$made/completion/fish/pneu.fish"
	assert_equal "$(fished 'pneu --tls v')" "verify "
	assert_equal "$(fished 'pneu --tls=')" \
	    "--tls=encrypt --tls=fingerprint --tls=may --tls=none --tls=tofu --tls=verify "
	assert_equal "$(fished 'pneu --tls-c')" "--tls-ca --tls-cert --tls-crl "
	assert_equal "$(fished 'pneu --config config -a ')" "home work "
	assert_equal "$(PNEU_CONFIG=config fished 'pneu --account=w')" "--account=work "
	assert_equal "$(fished 'pneu --dsn-notify=success,f')" "--dsn-notify=success,failure "
	assert_equal "$(fished 'pneu --tls-ca=my')" "--tls-ca=my file.pem "
	assert_equal "$(fished 'pneu --queue=')" "--queue=a dir/ --queue=no --queue=only --queue=yes "
	assert_equal "$(fished 'pneu --partial n')" ""
	assert_equal "$(fished 'pneu my')" ""
}

# --- Vim

@test "Vim: the settings of the configuration, their values, and what is none" {
	need vim
	vim --version | grep -q '+syntax' || skip "this Vim has no syntax (apt-get install vim)"
	mkdir pneu
	cat >pneu/config <<-'END'
		# comment
		server submissions://alice@x.example  # behind
		TLS verfy
		tls verify # so be it
		tls "may"
		tsl verify
		password-command  pass "show" # no comment
		account work
		from "a@b # c"
		queue /var/spool/x
		queue only
		partial  off
		user al#ice
		  log journal
	END
	cat >probe.vim <<-'END'
		set nocompatible
		filetype plugin on
		syntax on
		edit pneu/config
		let seen = [&filetype . ' ' . &commentstring]
		for number in range(1, line('$'))
			let text = getline(number)
			let groups = map(range(1, len(text)), 'synIDattr(synID(number, v:val, 1), "name")')
			for column in range(len(text))
				if groups[column] ==# ''
					continue
				elseif column == 0 || groups[column] !=# groups[column - 1]
					call add(seen, groups[column] . ':')
				endif
				let seen[-1] .= text[column]
			endfor
		endfor
		call writefile(seen, 'seen')
		quitall!
	END
	timeout 30 vim -es -u NONE -i NONE --cmd "set rtp^=$made/vim,$PNEU_SRC/contrib/vim" -S probe.vim \
	    </dev/null
	assert_equal "$(sed 's/^pneu\([A-Z]\)/\1/' seen)" "$(
		cat <<-'END'
			pneu # %s
			Comment:# comment
			Setting:server
			Url:submissions://alice@x.example
			Comment:# behind
			Setting:TLS
			Wrong:verfy
			Setting:tls
			Word_tls:verify
			Comment:# so be it
			Setting:tls
			Word_tls:"may"
			Unknown:tsl
			Setting:password-command
			Raw:pass "show" # no comment
			Keyword:account
			Value:work
			Setting:from
			String:"a@b # c"
			Setting:queue
			Value:/var/spool/x
			Setting:queue
			Word_queue:only
			Setting:partial
			Word_partial:off
			Setting:user
			Value:al#ice
			Setting:log
			Word_log:journal
		END
	)"
}

@test "Vim: each setting is known" {
	run diff <(sed -n "s/^call s:Setting('\([a-z-]*\)'.*/\1/p" "$made/vim/syntax/pneu.vim") \
	    <(sed -n 's/^[ \t]*{ "\([a-z-]*\)", T_.*/\1/p' "$PNEU_SRC/src/settings.c")
	assert_output ""
}
