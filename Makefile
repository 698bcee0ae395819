# make demo [CMD='ssh alice@dev@web1@bastion uptime']   a throw-away bastion and assets; the way through, shown and proved
# make lab, make lab-down    the same hosts, left running: target/lab/{on,ssh,scp,sftp,rsync,git,env}
# make corpus [OPTIONS='--group zsh -v']   the command corpus (tests/corpus), played through a bastion and scored; half an hour for all
# make bench [ROWS='login hop'] [ROUNDS=7] [OPTIONS='--files 64']   what the bastion costs beside plain sshd, ssh, script, tlog,
#                            asciinema; all rows (about half an hour) write docs/bench.md; OPTIONS=--help says more
# make test                  everything that is checked: format, lints, unit, property and end-to-end tests, the last on Debian 12
#                            and 13 (LAB_RELEASE: on that one only)
# make end-to-end            the last of these alone
# make package               the .deb, in target/debian
# make generated             the shipped settings and CHANGELOG.md, from the tables that they are made from
# make rpm                   the .rpm, in target/rpm
# make fuzz, deny, doc, shellcheck, lintian, units, selinux, reproducible    the other checks of .ci/run
# LAB_RELEASE=12|13 chooses the Debian of the hosts. demo, lab and test need root on a Debian machine with Rust.
#
# make itself ends with 2 whatever failed; the line "Error N" shows a demo command's own status, and
# `target/debug/lab demo CMD` ends with it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

TARGET := $(or $(CARGO_TARGET_DIR),target)
LAB := $(TARGET)/debug/lab
SECONDS_PER_TARGET ?= 60
SEED ?= 0
export CMD LAB_RELEASE

# What the package is made of; folders too, whose times change when a file is removed.
PACKAGE_PARTS := Cargo.toml Cargo.lock snapshot event filter capture jms nss_jms pam_jms authorized_keys_command force_command jmsctl \
	packaging sshd_config.d README.md
PACKAGE_SOURCES = $(shell find $(wildcard $(PACKAGE_PARTS)))
SHELL_SCRIPTS = .ci/run tests/prepare-machine tests/fuzz-one tests/run-end-to-end tests/check-reproducible tests/check-units tests/src/base_root.sh tests/src/client_root.sh \
	tests/check-selinux packaging/build-deb packaging/rustc-for-package packaging/build-manual packaging/build-rpm packaging/rpm/find-requires packaging/rpm/scriptlet \
	packaging/selinux/build $(wildcard packaging/scripts/*)
RPM_SCRIPTS = pre post preun postun

.PHONY: help demo lab lab-down test end-to-end base-roots package rpm generated selinux corpus fuzz deny doc shellcheck lintian units reproducible bench prepare lab-program

help:
	@sed -n '/^[^\#]/q;/^$$/q;s/^\# \{0,1\}//p' Makefile

demo: prepare package lab-program
	@$(LAB) demo $${CMD:+"$$CMD"}

lab: prepare package lab-program
	@$(LAB) up

lab-down: lab-program
	@$(LAB) down

corpus: prepare package lab-program
	@$(LAB) corpus -- $(OPTIONS)

# Rows by the beginning of their names; without any, all of them, and docs/bench.json and docs/bench.md are written anew. The
# examples measure what is inside a program, as it is in the package.
bench: prepare package
	cargo build --quiet --release --locked --package jms --example scale --package force_command --example first_screen
	cargo build --quiet --release --locked --package tests --bin lab --example bench
	$(TARGET)/release/examples/bench $(if $(ROUNDS),--rounds $(ROUNDS)) $(OPTIONS) $(ROWS)

test: prepare
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- --deny warnings
	timeout 1200 cargo test --workspace --exclude tests --exclude force_command --locked
	@# Its tests fork: a child of one would hold another's pipe open for a moment. One after the other.
	timeout 600 cargo test --package force_command --locked -- --test-threads=1
	timeout 300 cargo test --package tests --doc --locked
	$(MAKE) --no-print-directory end-to-end

end-to-end: prepare package rpm
	timeout 3600 tests/run-end-to-end $(LAB_RELEASE)

# The labs' base roots, built once; .ci/run does so beside its other checks.
base-roots: lab-program
	@for release in $(or $(LAB_RELEASE),12 13); do $(LAB) prepare --release $$release; done

package: $(TARGET)/debian/package-is-current

# It holds the path of the package.
$(TARGET)/debian/package-is-current: $(PACKAGE_SOURCES)
	@mkdir -p $(@D)
	@path=$$(packaging/build-deb) && echo "$$path" >$@

rpm: $(TARGET)/rpm/package-is-current

# From what the other package is made of, which has just been built.
$(TARGET)/rpm/package-is-current: $(TARGET)/debian/package-is-current
	@mkdir -p $(@D)
	@path=$$(JMS_STAGED=yes packaging/build-rpm) && echo "$$path" >$@

# The SELinux module with a whole policy.
selinux: rpm
	tests/check-selinux

# All targets, one on each processor, also after one that found something; what a target says is shown only then. SEED=1 makes
# a run repeatable.
fuzz:
	@mkdir -p $(TARGET)/fuzz
	RUSTC_BOOTSTRAP=1 cargo fuzz build --fuzz-dir tests/fuzz --sanitizer none
	@cargo fuzz list --fuzz-dir tests/fuzz | xargs -P "$$(nproc)" -n 1 tests/fuzz-one $(TARGET)/fuzz $(SECONDS_PER_TARGET) $(SEED)

# Known faults of our libraries are looked up where their database can be had, and it is said where not.
deny:
	@mkdir -p $(TARGET)
	cargo deny --locked check bans licenses sources
	@if timeout 120 cargo deny --locked fetch db >$(TARGET)/advisories.log 2>&1; then \
		cargo deny --locked check --disable-fetch advisories; \
	else \
		tail -n 1 $(TARGET)/advisories.log; echo "deny: advisories were NOT checked: their database cannot be had here"; \
	fi

# The files of this repository that are made from tables; a test fails when one of them is not what its table says.
generated:
	@mkdir -p $(TARGET)
	cargo build --quiet --package manual
	$(TARGET)/debug/manual settings >$(TARGET)/generated && cp $(TARGET)/generated packaging/etc/jms.toml
	$(TARGET)/debug/manual changelog >$(TARGET)/generated && cp $(TARGET)/generated CHANGELOG.md

lintian: package
	lintian --allow-root --fail-on error,warning $$(cat $(TARGET)/debian/package-is-current)

units:
	tests/check-units

# The package itself; with QUICKLY=yes two that are not optimised, in half the time.
reproducible: $(if $(QUICKLY),,package)
	QUICKLY=$(QUICKLY) tests/check-reproducible

doc:
	RUSTDOCFLAGS='--deny warnings' cargo doc --workspace --no-deps --document-private-items --locked

shellcheck:
	shellcheck $(SHELL_SCRIPTS)
	@# As they are in the package, with the functions that they share.
	@mkdir -p $(TARGET)/rpm/scripts
	@for name in $(RPM_SCRIPTS); do packaging/rpm/scriptlet packaging/rpm/scripts/$$name >$(TARGET)/rpm/scripts/$$name; done
	shellcheck $(addprefix $(TARGET)/rpm/scripts/,$(RPM_SCRIPTS))

prepare:
	@tests/prepare-machine >&2

lab-program:
	@cargo build --quiet --locked --package tests --bin lab
