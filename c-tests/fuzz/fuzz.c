/*
 * Random sequences of calls of the whole interface, on two libraries in lockstep: what they return, and the state of
 * rings, memory, descriptors and mappings after every call.
 *
 * usage: fuzz [-s SEED] [-n CALLS] [-t SECONDS] [-q SEQUENCE] [-o PROGRAM] [-v] FFI LIBRARY OTHER_FFI OTHER_LIBRARY
 *
 * The exit status is 0 if there was no difference, 1 if there was one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "generate.h"
#include "program.h"
#include "run.h"

/* A difference that is not seen again in so many runs is none of the libraries: the kernel took another turn. */
#define REPEATS 6
/* Calls after which every function must have been called. */
#define ENOUGH 200000

static struct {
    unsigned long long calls, sequences, crashes, once;
    unsigned long long made[512], refused[512], failed[512];
} total;

static bool verbose;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static void count(const struct step *steps, unsigned number)
{
    const struct record *record = run_record(0);

    total.calls += record->calls;
    total.sequences++;
    if (record->status != 0) {
        total.crashes++;
        if (verbose)
            printf("both ended in %s, status %#x\n", functions[steps[record->step].function].name,
                   (unsigned) record->status);
    }
    for (unsigned i = 0; i < number; i++) {
        if (record->made[i])
            total.made[steps[i].function]++;
        else if (i <= record->step)
            total.refused[steps[i].function]++;
    }
    for (unsigned i = 0; i < record->nr_words; i++)
        if (record->words[i].label == L_RESULT && (int) record->words[i].value < 0)
            total.failed[steps[record->words[i].step].function]++;
}

static void report(uint64_t seed, uint64_t number, struct step *steps, unsigned count, struct difference *difference,
                   const char *output)
{
    struct difference exact;
    FILE *file = output ? fopen(output, "w") : NULL;

    printf("sequence %llu of seed %llu differs: %s, %s %u: %#llx here, %#llx with the other library\n",
           (unsigned long long) number, (unsigned long long) seed, functions[steps[difference->step].function].name,
           label_name(difference->label), difference->index, (unsigned long long) difference->value[0],
           (unsigned long long) difference->value[1]);
    fflush(stdout);
    count = minimise(steps, count, difference);
    /* Which word of memory it was. */
    if (run_differs(steps, count, (int) difference->step, &exact))
        *difference = exact;
    print_program(stdout, steps, count, difference);
    if (file) {
        print_program(file, steps, count, difference);
        fclose(file);
    }
}

static bool differs_again(const struct step *steps, unsigned count, struct difference *difference)
{
    for (unsigned i = 0; i < REPEATS; i++)
        if (run_differs(steps, count, -1, difference))
            return true;
    return false;
}

static bool all_were_called(void)
{
    bool good = true;

    for (unsigned i = 0; i < nr_functions; i++) {
        if (verbose)
            printf("%-45s %8llu made, %8llu of them failed, %8llu left out\n", functions[i].name, total.made[i],
                   total.failed[i], total.refused[i]);
        if (!total.made[i] && total.calls >= ENOUGH) {
            printf("%s was never called\n", functions[i].name);
            good = false;
        }
    }
    return good;
}

int main(int argc, char **argv)
{
    uint64_t seed = 1, first = 0, single = 0;
    unsigned long long calls = 0;
    double seconds = 0, started, told;
    const char *output = NULL;
    bool good = true;
    int option;

    while ((option = getopt(argc, argv, "s:n:t:q:o:v")) != -1) {
        switch (option) {
        case 's': seed = strtoull(optarg, NULL, 0); break;
        case 'n': calls = strtoull(optarg, NULL, 0); break;
        case 't': seconds = strtod(optarg, NULL); break;
        case 'q': first = strtoull(optarg, NULL, 0), single = 1; break;
        case 'o': output = optarg; break;
        case 'v': verbose = true; break;
        default: return 2;
        }
    }
    if (argc - optind != 4) {
        fprintf(stderr, "usage: fuzz [-s SEED] [-n CALLS] [-t SECONDS] [-q SEQUENCE] [-o PROGRAM] [-v] FFI LIBRARY "
                        "OTHER_FFI OTHER_LIBRARY\n");
        return 2;
    }
    run_start((const char *const[NR_SIDES][2]) {
        {argv[optind], argv[optind + 1]},
        {argv[optind + 2], argv[optind + 3]},
    });
    started = told = now();
    for (uint64_t i = first; good; i++) {
        struct step steps[MAX_STEPS];
        struct difference difference;
        unsigned number = generate(seed, i, steps);
        bool differed = run_differs(steps, number, -1, &difference);

        count(steps, number);
        if (differed && differs_again(steps, number, &difference)) {
            report(seed, i, steps, number, &difference, output);
            good = false;
        } else if (differed) {
            total.once++;
            printf("sequence %llu differed once and not again: %s, %s %u\n", (unsigned long long) i,
                   functions[steps[difference.step].function].name, label_name(difference.label), difference.index);
        }
        if (now() - told > 10) {
            told = now();
            printf("%llu calls in %.0f s\n", total.calls, told - started);
            fflush(stdout);
        }
        if (single || (calls && total.calls >= calls) || (seconds > 0 && now() - started >= seconds))
            break;
    }
    run_stop();
    if (good && !single)
        good = all_were_called();
    printf("%llu calls in %llu sequences of seed %llu, %.0f s: %s; both ended early in %llu, %llu differed once only\n",
           total.calls, total.sequences, (unsigned long long) seed, now() - started,
           good ? "the same with both libraries" : "not the same with both libraries", total.crashes, total.once);
    return good ? 0 : 1;
}
