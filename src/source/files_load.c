#include "source/files_load.h"

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/os.h"
#include "io/progress.h"
#include "source/files_count.h"
#include "source/files_extract.h"
#include "source/files_plan.h"
#include "source/files_preview.h"
#include "source/files_roots.h"
#include "source/files_room.h"
#include "source/files_side.h"
#include "source/files_swap.h"
#include "source/source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct files_load {
    struct load base; /* first: the load's pointer is ours */
    const struct load_options *options;
    struct os *os;
    struct files_roots roots;  /* of the backup; empty when it does not say */
    struct files_facts facts;  /* what the archive should hold */
    struct text_list left_out; /* patterns of the backup */
    struct files_sides sides;
    struct files_extracted extracted;
    bool own; /* made by us: a member that comes twice is wrong */
    bool created;
    bool committed;
};

static struct files_load *of(struct load *load)
{
    return (struct files_load *)load;
}

/* What the backup left out already makes no difference: a configuration names it for both ways. */
static bool partial(const struct files_load *load)
{
    const struct text_list *exclude = &load->options->exclude;
    for (size_t i = 0; i < exclude->count; i++)
        if (!text_list_has(&load->left_out, exclude->items[i]))
            return true;
    return load->options->include.count > 0;
}

/* ---- preview ---- */

static struct files_choice choice_of(const struct files_load *load)
{
    return (struct files_choice){.sides = &load->sides,
                                 .roots = &load->roots,
                                 .include = &load->options->include,
                                 .exclude = &load->options->exclude,
                                 .devices = load->options->devices};
}

static int load_preview_files(struct load *base, struct segment_source *segments,
                              struct load_preview *ret_preview, struct error *err)
{
    struct files_load *load = of(base);
    struct files_preview_options options = {.os = load->os,
                                            .choice = choice_of(load),
                                            .facts = load->facts,
                                            .left_out = &load->left_out,
                                            .own = &load->options->own,
                                            .merges = load->options->to || partial(load),
                                            .chooses = partial(load),
                                            .thorough = load->options->dry_run};
    return files_preview(&options, segments, ret_preview, err);
}

/* ---- fill ---- */

static void note_kept(struct files_load *load)
{
    free(load->base.kept);
    load->base.kept = files_sides_format(&load->sides, load->os->clock_wall_ns(load->os));
}

static int extract(struct load *base, struct segment_source *segments, struct error *err)
{
    struct files_load *load = of(base);
    const struct load_options *options = load->options;
    load->created = true;
    if (files_sides_create(&load->sides, err) < 0)
        return -1;
    note_kept(load);
    progress_begin(options->progress, "restoring", options->plain_size);
    struct files_extract_options extract = {.os = load->os,
                                            .progress = options->progress,
                                            .jobs = options->jobs,
                                            .choice = choice_of(load),
                                            .no_owner = options->no_owner,
                                            .repetitions = !load->own};
    if (files_extract(&extract, segments, &load->extracted, err) < 0)
        return -1;
    base->rows_loaded = load->extracted.made;
    return 0;
}

/* Of a choice nobody knows what it needs but the preview. */
static int load_fill(struct load *base, struct segment_source *segments, struct error *err)
{
    struct files_load *load = of(base);
    if (extract(base, segments, err) == 0)
        return 0;
    return files_room_explain(load->os, &load->sides, partial(load) ? 0 : load->facts.bytes, err);
}

/* ---- check ---- */

static int check_members(struct files_load *load, struct error *err)
{
    if (load->facts.members && load->extracted.seen != load->facts.members)
        return error_set(err, ERROR_CORRUPT,
                         "the archive has %" PRIu64 " members where the manifest says %" PRIu64,
                         load->extracted.seen, load->facts.members);
    if (load->extracted.made)
        return 0;
    return error_set(err, ERROR_NOT_FOUND,
                     partial(load) ? "nothing in the backup matches the patterns"
                                   : "the backup holds nothing that can be restored");
}

/* A tree beneath another one is counted with it. */
static bool covered(const struct files_load *load, size_t number)
{
    for (size_t i = 0; i < number; i++)
        if (files_root_holds(&load->roots.items[i], load->roots.items[number].member))
            return true;
    return false;
}

/* Folders between a side folder and the trees in it, each counted once. */
static uint64_t count_folders_around(const struct files_load *load)
{
    SCOPED(text_list) struct text_list folders = TEXT_LIST_INIT;
    for (size_t i = 0; i < load->roots.count; i++) {
        if (covered(load, i))
            continue;
        size_t number = 0;
        SCOPED(string)
        char *place = files_sides_place(&load->sides, load->roots.items[i].member, &number);
        for (char *slash = NULL; place && (slash = strrchr(place, '/')) != NULL;) {
            *slash = '\0';
            if (!text_list_has(&folders, place))
                text_list_add(&folders, place);
        }
    }
    return folders.count;
}

/* Names that this file system takes for the same would have become fewer entries. */
static int check_entries(struct files_load *load, struct error *err)
{
    if (!load->own || partial(load))
        return 0;
    /* Whatever was made was counted, so a look at it all is for the case of doubt. */
    if (load->extracted.entries == load->extracted.made + count_folders_around(load))
        return 0;
    struct files_count count = {0};
    for (size_t i = 0; i < load->roots.count; i++) {
        const struct files_root *root = &load->roots.items[i];
        size_t number = 0;
        SCOPED(string) char *place = files_sides_place(&load->sides, root->member, &number);
        if (covered(load, i) || !place)
            continue;
        const struct files_side *side = &load->sides.items[number];
        SCOPED(string)
        char *path = mem_format("%s/%s/%s", strcmp(side->base, "/") ? side->base : "",
                                side->container, place);
        if (files_count_tree(load->os, path, INT64_MAX, &count, err) < 0)
            return -1;
    }
    /* Without root, what was restored can be closed to us as it was closed in the backup. */
    if (count.entries == load->extracted.made || count.partial)
        return 0;
    error_set(err, ERROR_CORRUPT,
              "%" PRIu64 " members became %" PRIu64 " files: some names are the same here",
              load->extracted.made, count.entries);
    return error_hint(err, "the file system does not tell upper from lower case, or Unicode forms");
}

static int sync_side(struct files_load *load, const struct files_side *side, struct error *err)
{
    if (load->os->syncfs(load->os, side->fd) < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "sync %s", side->base);
    return 0;
}

static int load_check(struct load *base, struct error *err)
{
    struct files_load *load = of(base);
    if (check_members(load, err) < 0 || check_entries(load, err) < 0)
        return -1;
    bool merge = load->options->to || partial(load);
    for (size_t i = 0; i < load->sides.count; i++) {
        struct files_side *side = &load->sides.items[i];
        enum files_swap swap = merge ? FILES_SWAP_MERGE : FILES_SWAP_WHOLE;
        if (files_plan_make(load->os, side, swap, &load->options->own, err) < 0 ||
            sync_side(load, side, err) < 0)
            return -1;
    }
    note_kept(load);
    return 0;
}

/* ---- commit ---- */

/* Everything that was done is taken back; only where that fails too is the target stranded. */
static int roll_back(struct files_load *load, struct error *err)
{
    struct error problem = ERROR_INIT;
    if (files_swap_roll_back(&load->sides, &problem) == 0)
        return error_recode(err, ERROR_RESTORE);
    const struct files_side *side = &load->sides.items[0];
    load->committed = true;
    error_set(err, ERROR_STRANDED, "%s; and going back failed: %s", err->message, problem.message);
    return error_hint(err, "what was there and what was restored are in %s/%s and its like",
                      side->base, side->container);
}

static int load_commit(struct load *base, struct error *err)
{
    struct files_load *load = of(base);
    if (files_swap_forwards(&load->sides, FILES_STATE_TO_AFTER, err) < 0)
        return roll_back(load, err);
    load->committed = true;
    return 0;
}

static void load_free_files(struct load *base)
{
    struct files_load *load = of(base);
    struct error err = ERROR_INIT;
    bool remove = load->created && (!load->committed || !load->options->keep);
    if (remove && files_sides_remove(&load->sides, &err) < 0)
        log_warning("%s", err.message);
    files_sides_clear(&load->sides);
    files_roots_clear(&load->roots);
    text_list_clear(&load->left_out);
    free(load->base.kept);
    free(load);
}

static const struct load_ops load_ops = {
    .preview = load_preview_files,
    .fill = load_fill,
    .check = load_check,
    .commit = load_commit,
    .free = load_free_files,
};

/* ---- opening ---- */

static int find_roots(struct files_load *load, const struct source_target *target,
                      struct error *err)
{
    int found = files_metadata_parse(load->options->metadata, &load->roots, &load->facts,
                                     &load->left_out, err);
    load->own = found > 0;
    if (found || load->options->to || !target->paths.count)
        return found < 0 ? -1 : 0;
    /* The manifest is lost; the configuration knows. */
    return files_roots_make(&target->paths, &load->roots, err);
}

int files_load(const struct source_target *target, const struct load_options *options,
               struct load **ret_load, struct error *err)
{
    struct files_load *load = MEM_NEW(struct files_load);
    load->base.ops = &load_ops;
    load->options = options;
    load->os = options->os;
    if (find_roots(load, target, err) < 0 ||
        files_sides_make(options->os, &load->roots, options->to, options->id, &load->sides, err) <
            0) {
        load_free_files(&load->base);
        return -1;
    }
    note_kept(load);
    *ret_load = &load->base;
    return 0;
}
