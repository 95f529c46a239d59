# fio on the library: c-tests/fio/README.md.

FIO_TREE := $(abspath $(B))/fio/unmodified

CHECKS += check-fio
.PHONY: check-fio fio-compare fio-engine

## make check-fio      fio with verification: its own engine on our kernel header, and our engine on the library
check-fio: stage
	CC='$(CC)' LIBURING_PREFIX='$(CHECK_PREFIX)' c-tests/fio/check.sh '$(FIO_TREE)'

## make fio-compare    IOPS of fio's engine, of ours on upstream's library and of ours on this one (FIO_ROUNDS, FIO_SECONDS)
fio-compare: stage
	CC='$(CC)' LIBURING_PREFIX='$(CHECK_PREFIX)' c-tests/fio/compare.sh '$(FIO_TREE)'

## make fio-engine     the fio engine, build/fio/liburing.so: fio --ioengine=external:build/fio/liburing.so
fio-engine: stage
	CC='$(CC)' c-tests/fio/build.sh engine '$(FIO_TREE)' '$(CHECK_PREFIX)' '$(B)/fio/liburing.so'
