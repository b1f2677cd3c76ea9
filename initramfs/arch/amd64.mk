# A PC of 64 bits: the machine that builds, and its own busybox.
CC_amd64 := $(HOST_CC)
BUSYBOX  := /bin/busybox
INIT     += init/port_x86.c
