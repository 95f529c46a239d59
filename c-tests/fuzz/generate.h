/* Random sequences: the same ones for the same seed and number. */
#ifndef GENERATE_H
#define GENERATE_H

#include "fuzz.h"

unsigned generate(uint64_t seed, uint64_t number, struct step *steps);
int find_function(const char *name);

#endif
