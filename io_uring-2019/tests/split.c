/* The library's functions, first shape: descriptor and rings apart. */
#define SPLIT
#include "library.c"
