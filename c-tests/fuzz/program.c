/* A sequence that differs, made shorter, and as a C program. */
#include <string.h>

#include "program.h"

/* How often a shorter sequence is tried before it counts as one that does not differ. */
#define TRIES 2

static bool differs(const struct step *steps, unsigned count, struct difference *difference)
{
    for (unsigned i = 0; i < TRIES; i++)
        if (run_differs(steps, count, -1, difference))
            return true;
    return false;
}

unsigned minimise(struct step *steps, unsigned count, struct difference *difference)
{
    struct step shorter[MAX_STEPS];
    struct difference found;

    /* What comes after the difference is not needed. */
    if (difference->step + 1 < count)
        count = difference->step + 1;
    for (unsigned size = count / 2 ? count / 2 : 1;; size /= 2) {
        bool removed = true;

        while (removed) {
            removed = false;
            for (unsigned at = 0; at < count;) {
                unsigned cut = count - at < size ? count - at : size;

                memcpy(shorter, steps, at * sizeof(*steps));
                memcpy(shorter + at, steps + at + cut, (count - at - cut) * sizeof(*steps));
                if (cut < count && differs(shorter, count - cut, &found) && found.label == difference->label) {
                    count -= cut;
                    if (found.step + 1 < count)
                        count = found.step + 1;
                    memcpy(steps, shorter, count * sizeof(*steps));
                    removed = true;
                } else {
                    at += size;
                }
            }
        }
        if (size <= 1)
            break;
    }
    /* Arguments that do not matter become zero. */
    for (unsigned i = 0; i < count; i++) {
        for (unsigned j = 0; j < functions[steps[i].function].nr_args; j++) {
            uint64_t raw = steps[i].raw[j];

            steps[i].raw[j] = 0;
            if (raw && !(differs(steps, count, &found) && found.label == difference->label))
                steps[i].raw[j] = raw;
        }
    }
    for (unsigned i = 0; i < 10 && !run_differs(steps, count, -1, difference); i++)
        continue;
    return count;
}

static const struct {
    const char *name;
    size_t offset, size, count;
} members[] = {
#define MEMBER(name) {#name, offsetof(struct world, name), sizeof(w->name[0]), sizeof(w->name) / sizeof(w->name[0])}
    MEMBER(ring), MEMBER(cqe), MEMBER(params), MEMBER(free_sqe), MEMBER(time), MEMBER(sigset), MEMBER(enter_arg),
    MEMBER(iovec), MEMBER(files), MEMBER(ints), MEMBER(counts), MEMBER(tags), MEMBER(msg), MEMBER(buf_reg),
    MEMBER(restriction), MEMBER(sync_cancel), MEMBER(bufs), MEMBER(data),
#undef MEMBER
};

static void print_pointer(FILE *file, enum kind kind, uint64_t raw, uint64_t value)
{
    uint64_t offset = value - (uintptr_t) w;

    for (unsigned i = 0; offset < sizeof(*w) && i < sizeof(members) / sizeof(members[0]); i++) {
        uint64_t in = offset - members[i].offset;

        if (in < members[i].size * members[i].count && in % members[i].size == 0) {
            fprintf(file, "&w->%s[%llu]", members[i].name, (unsigned long long) (in / members[i].size));
            return;
        }
    }
    if (kind == K_SQE)
        fprintf(file, "w->sqe");
    else if (kind == K_CQE && offset >= sizeof(*w))
        fprintf(file, "w->seen_cqe");
    else if (kind == K_PROBE && offset >= sizeof(*w))
        fprintf(file, "w->probe");
    else if (kind == K_BUF_RING && value)
        fprintf(file, "w->buf_ring[%u].ring", (unsigned) (raw % (NR_BUF_RINGS + 1)));
    else if (kind == K_ITER)
        fprintf(file, "&w->iter");
    else if (value)
        fprintf(file, "(void *) %#llx", (unsigned long long) value);
    else
        fprintf(file, "NULL");
}

static void print_arguments(FILE *file, const struct step *step, const uint64_t *args)
{
    const struct function *f = &functions[step->function];

    for (unsigned i = 0; i < f->nr_args; i++) {
        enum kind kind = f->kinds[i];
        uint64_t unused = 64 - 8 * f->sizes[i];
        int64_t value = (int64_t) (args[i] << unused) >> unused;

        fprintf(file, "%s", i ? ", " : "");
        if (f->pointers & 1u << i)
            print_pointer(file, kind, step->raw[i], args[i]);
        else if (value >= -1000 && value < 1000)
            fprintf(file, "%lld", (long long) value);
        else
            fprintf(file, "%#llx", (unsigned long long) (args[i] << unused >> unused));
    }
}

void print_program(FILE *file, const struct step *steps, unsigned count, const struct difference *difference)
{
    const struct record *made = run_record(0);

    fprintf(file, "/* %s, %s %u: %#llx here, %#llx with the other library. */\n",
            functions[steps[difference->step].function].name, label_name(difference->label), difference->index,
            (unsigned long long) difference->value[0], (unsigned long long) difference->value[1]);
    fprintf(file, "#include \"replay.h\"\n\nint main(void)\n{\n    begin();\n");
    for (unsigned i = 0; i < count; i++) {
        const struct function *f = &functions[steps[i].function];

        if (!made->made[i])
            continue;
        fprintf(file, "    %s(%s%s", f->result == K_NOTHING ? "DO" : f->result == K_ITER ? "ITERATE" : "CALL", f->name,
                f->nr_args ? ", " : "");
        print_arguments(file, &steps[i], made->args[i]);
        fprintf(file, ");\n");
    }
    fprintf(file, "    return 0;\n}\n");
}
