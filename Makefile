# mini-kvm: the umbrella. `make help` lists what it can do.
.PHONY: check
check:
	$(MAKE) -C common check
