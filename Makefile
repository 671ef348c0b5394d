# SPDX-License-Identifier: GPL-2.0

NAME := kcoresnap
VERSION := $(shell sed -n 's/^\#define KCORESNAP_VERSION[ \t]*"\(.*\)"/\1/p' $(CURDIR)/include/uapi/linux/kcoresnap.h)

KVER ?= $(shell uname -r)
KERNELDIR ?= /lib/modules/$(KVER)/build

PREFIX ?= /usr/local
MANDIR ?= $(PREFIX)/share/man
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
DKMSDIR := /usr/src/$(NAME)-$(VERSION)

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-7s %s\n'
MAKEFLAGS += --no-print-directory
endif
export V

# What the module is built from, which is what DKMS is given.
MODULE_SOURCES = Makefile Kbuild dkms.conf $(shell find module include -name '*.[chS]')

MODULE_PRODUCTS = *.ko *.o *.mod *.mod.c .*.cmd *.symvers modules.order .tmp_versions .module-common.o .kcoresnap.* \
	module/*.o module/.*.cmd module/compat/*.o module/compat/.*.cmd module/.*.d

all: module tool			# build the module and the tool

## Building

module: | kerneldir			# build kcoresnap.ko for KERNELDIR (by default the running kernel's)
	+$(Q)$(MAKE) -C $(KERNELDIR) M=$(CURDIR) modules

kerneldir:
	@test -e $(KERNELDIR)/Makefile || { \
		echo "No kernel headers at $(KERNELDIR): install linux-headers-$(KVER), or name another kernel's by KERNELDIR=." >&2; \
		exit 1; }

tool:					# build tool/kcoresnap
	+$(Q)$(MAKE) -C tool

clean:					# remove everything that was built
	$(say) CLEAN .
	$(Q)rm -rf $(MODULE_PRODUCTS) build
	+$(Q)for makefile in $(wildcard tool/Makefile tests/*/Makefile); do \
		$(MAKE) -C $${makefile%/*} clean || exit; \
	done

## Installing

install: install-module install-tool	# install the tool, and the module by DKMS for this kernel
uninstall: uninstall-module uninstall-tool	# undo install

install-module:
	$(say) INSTALL $(DESTDIR)$(DKMSDIR)
ifeq ($(DESTDIR),)
	@command -v dkms >/dev/null || { echo "The module is installed by DKMS: install the package dkms first." >&2; exit 1; }
	$(Q)if test -n "$$(dkms status -m $(NAME) -v $(VERSION))"; then dkms remove -m $(NAME) -v $(VERSION) --all; fi
endif
	$(Q)rm -rf $(DESTDIR)$(DKMSDIR)
	$(Q)for file in $(MODULE_SOURCES); do install -D -m 0644 $$file $(DESTDIR)$(DKMSDIR)/$$file || exit; done
ifeq ($(DESTDIR),)
	$(say) DKMS "$(NAME)/$(VERSION) for $(KVER)"
	$(Q)dkms add -m $(NAME) -v $(VERSION)
	$(Q)dkms build -m $(NAME) -v $(VERSION) -k $(KVER)
	$(Q)dkms install -m $(NAME) -v $(VERSION) -k $(KVER)
endif

uninstall-module:
	$(say) REMOVE $(DESTDIR)$(DKMSDIR)
ifeq ($(DESTDIR),)
	$(Q)if command -v dkms >/dev/null && test -n "$$(dkms status -m $(NAME) -v $(VERSION))"; then \
		dkms remove -m $(NAME) -v $(VERSION) --all; fi
endif
	$(Q)rm -rf $(DESTDIR)$(DKMSDIR)

install-tool:
	+$(Q)$(MAKE) -C tool install

uninstall-tool:
	+$(Q)$(MAKE) -C tool uninstall
	$(Q)for dir in $(MANDIR)/man8 $(COMPLETIONDIR) $(dir $(COMPLETIONDIR)); do \
		if test -d $(DESTDIR)$$dir; then rmdir --ignore-fail-on-non-empty $(DESTDIR)$$dir; fi; \
	done

## Testing

KERNELS ?= bookworm

test:					# test in guests: KERNELS="bullseye sid" or all, TESTS="10-basic" (default: KERNELS=bookworm)
	@tests/run $(KERNELS)

unit:					# run the unit tests on this machine
	$(Q)bash -c 'top=. && . tests/vm/common.sh && need_packages gcc libc6-dev libcmocka-dev libzstd-dev'
	+$(Q)$(MAKE) -C tests/unit check

guest-run:				# run a command in a guest: CMD='kcoresnap info' KERNELS=trixie
	@tests/run --run '$(subst ','\'',$(value CMD))' $(KERNELS)

guest-shell:				# run a shell in a guest: KERNELS=trixie
	@tests/run --shell $(KERNELS)

demo:					# snapshot real servers under load in a guest, and compare with gcore
	@tests/demo/run

soak:					# run the tests with long counts
	@tests/soak/run $(KERNELS)

bench:					# measure pause and throughput in a guest
	@tests/bench/run $(KERNELS)

fuzz:					# fuzz layout, notes and numbers in user space: SECONDS_PER_TARGET=60
	@tests/fuzz/run

lint:					# check style, symbols and documents: CHECKS="sparse checkpatch" (default: all)
	@tests/lint/run $(CHECKS)

help:					# list these targets
	@awk -F':.*# ' '/^[a-z-]+:.*# / { printf "  %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: all module kerneldir tool clean install uninstall install-module uninstall-module install-tool uninstall-tool \
	test unit guest-run guest-shell demo soak bench fuzz lint help
