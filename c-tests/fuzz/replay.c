/* Runs a printed sequence: it says after each call what the fuzzer would have compared. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"

static void interrupted(int number)
{
    (void) number;
}

static const struct function *find(const char *name)
{
    for (unsigned i = 0; i < nr_functions; i++)
        if (strcmp(functions[i].name, name) == 0)
            return &functions[i];
    abort();
}

void begin(void)
{
    struct sigaction action = {.sa_handler = interrupted};

    sigaction(SIGALRM, &action, NULL);
    sigaction(SIGPIPE, &action, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    free(malloc(1 << 20));
    record = calloc(1, sizeof(*record));
    in_full = true;
    world_make();
    observe_begin();
}

void start(const char *name, uint64_t *args)
{
    /* The sequence has only calls that are made, with arguments that are right. */
    before(name, args);
    limit_wait(find(name), true);
}

void stop(const char *name, const uint64_t *args, uint64_t result)
{
    const struct function *f = find(name);

    limit_wait(f, false);
    record->nr_words = 0;
    observe(f, after(name, args, result));
    printf("%u %s\n", record->step++, name);
    for (unsigned i = 0; i < record->nr_words; i++)
        printf("    %s %u: %#llx\n", label_name(record->words[i].label), record->words[i].index,
               (unsigned long long) record->words[i].value);
}
