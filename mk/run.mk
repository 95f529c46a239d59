# The library at work.

.PHONY: run

## make run            copies 1 GiB through the library, then runs qemu-img on it (RUN_SIZE_MIB, RUN_DIR)
run: library
	$(Q)rm -rf '$(abspath $(B))/run/usr'
	$(Q)$(MAKE) --no-print-directory install DESTDIR= prefix='$(abspath $(B))/run/usr' \
		includedir='$(abspath $(B))/run/usr/include' libdir='$(abspath $(B))/run/usr/lib' \
		libdevdir='$(abspath $(B))/run/usr/lib' mandir='$(abspath $(B))/run/usr/share/man'
	$(Q)CC='$(CC)' PKG_CONFIG='$(PKG_CONFIG)' RUN_DIR='$(or $(RUN_DIR),$(B)/run)' \
		scripts/run.sh '$(abspath $(B))/run/usr'
