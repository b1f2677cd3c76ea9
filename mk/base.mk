# Base of every Makefile here: where things are, how loud make is.
# A Makefile sets OUT (its folder under build/) and includes one or more of the toolchain fragments beside this file.
TOP   := $(patsubst %/,%,$(dir $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))))
BUILD := $(TOP)/build
SHELL := /bin/bash
Q     := $(if $(V),,@)
# The user's `make -s` shows no lines of the build; the -s of a make inside of another changes nothing.
ifeq ($(MAKELEVEL),0)
export BUILD_IS_SILENT := $(findstring s,$(firstword -$(MAKEFLAGS)))
endif
say    = $(if $(V)$(BUILD_IS_SILENT),,@printf '  %-7s %s\n' '$(1)' '$(patsubst $(TOP)/%,%,$(2))')

MAKEFLAGS += --no-builtin-rules --no-print-directory
.DELETE_ON_ERROR:
.SUFFIXES:

# Warnings that every C file here is compiled with, whatever machine it is for. Errors to those who develop it (WERROR=1, as
# `make check` sets it), not to a user whose compiler knows more of them.
WARNINGS := -Wall -Wextra $(if $(WERROR),-Werror) -Wshadow -Wpointer-arith -Wwrite-strings -Wundef -Wvla \
            -Wstrict-prototypes -Wmissing-prototypes
DEPFLAGS  = -MMD -MP
# The compiler that the user asks for, by argument or environment; make's own default, cc, counts for nothing.
CC_GIVEN := $(if $(filter default undefined,$(origin CC)),gcc,$(CC))
# A goal that is misspelt: what there is. (And what make says itself of any other file that no rule makes.)
ifndef NO_TARGET
NO_TARGET = $(if $(filter $@,$(MAKECMDGOALS)),echo "make: there is no target '$@' here. There are:"; \
                $(if $(filter-out help,$@),$(MAKE) -s help;)) \
            $(if $(filter $(MAKECMDGOALS) %.d,$@),,echo "make: No rule to make target '$@'";) exit 2
.DEFAULT:
	@{ $(NO_TARGET); } >&2
endif

# Dependency files that are included bring targets of their own: none of them may become the default.
.DEFAULT_GOAL := all
