/* A sequence as a C program, and the shortest sequence that still differs. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdio.h>

#include "run.h"

/* Leaves out of `steps` what the difference does not need; returns how many are left. */
unsigned minimise(struct step *steps, unsigned count, struct difference *difference);

/* Prints the calls that were made in the last run. */
void print_program(FILE *file, const struct step *steps, unsigned count, const struct difference *difference);

#endif
