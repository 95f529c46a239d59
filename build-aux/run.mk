# A demonstration of the library.

.PHONY: run

## make run            copies 1 GiB through the library, then runs qemu-img on it (RUN_SIZE_MIB, RUN_DIR)
run: library
	$(Q)rm -rf '$(ABSOLUTE_B)/run/usr'
	$(Q)$(MAKE) --no-print-directory install DESTDIR= prefix='$(ABSOLUTE_B)/run/usr' \
		includedir='$(ABSOLUTE_B)/run/usr/include' libdir='$(ABSOLUTE_B)/run/usr/lib' \
		libdevdir='$(ABSOLUTE_B)/run/usr/lib' mandir='$(ABSOLUTE_B)/run/usr/share/man'
	$(Q)CC='$(CC)' PKG_CONFIG='$(PKG_CONFIG)' RUN_DIR='$(or $(RUN_DIR),$(B)/run)' \
		build-aux/run.sh '$(ABSOLUTE_B)/run/usr'
