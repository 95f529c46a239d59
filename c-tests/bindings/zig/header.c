/* The header as a Zig program includes it by `@cInclude("liburing.h")`. */
#define _GNU_SOURCE
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
