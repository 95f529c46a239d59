# The manual. Its pages are committed, so that neither building nor installing needs the generator.

MAN_TOOL := tools/man/Cargo.toml

CHECKS += check-man
.PHONY: man check-man site

## make man            writes the pages in man/ anew, from the doc comments, the headers and docs/guides
man:
	$(Q)rm -rf $(B)/man
	$(Q)$(CARGO) run --quiet --locked --manifest-path $(MAN_TOOL) --target-dir $(B)/tools -- . $(B)/man
	$(Q)rm -rf man/man[237]
	$(Q)cp -r $(B)/man/. man

## make site           the manual as a web site, in build/site
site:
	$(Q)rm -rf $(B)/site
	$(Q)$(CARGO) run --quiet --locked --manifest-path $(MAN_TOOL) --target-dir $(B)/tools -- --site . $(B)/site
	@echo '$(B)/site/index.html'

## make check-man      the pages are up to date and clean, every name and link resolves, and each example compiles and runs
check-man: stage
	+$(Q)CARGO='$(CARGO)' B='$(B)' PYTHON='$(PYTHON)' MAKE='$(MAKE)' build-aux/parts.sh tools/man/check-pages.sh \
		'tools/man/check-site.sh $(B)/site' "tools/man/check-examples.sh '$(CHECK_PREFIX)' '$(B)'"
