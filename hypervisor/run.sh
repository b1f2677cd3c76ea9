#!/bin/sh
# Builds the hypervisor and its guest and runs them in QEMU; `make help` says what else there is.
exec make --no-print-directory -C "$(dirname "$0")" run "$@"
