#include "source/files.h"

#include "source/files_dump.h"
#include "source/source.h"

const struct source_ops source_files = {
    .engine = "files",
    .capabilities = SOURCE_FILES,
    .dump = files_dump,
};
