/*
 * Runs a fuzz target over the files of its kept corpus, in an ordinary build: what fuzzing found
 * once stays found.
 *
 *     replay FOLDER
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Exactly as large as the file, so that a sanitizer sees each read past its end. */
static uint8_t *read_file(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    long size = -1;
    if (file && fseek(file, 0, SEEK_END) == 0)
        size = ftell(file);
    uint8_t *data = size >= 0 ? malloc((size_t)size) : NULL;
    if (data)
        rewind(file);
    if (size > 0 && (!data || fread(data, 1, (size_t)size, file) != (size_t)size))
        size = -1;
    if (file)
        fclose(file);
    if (size < 0) {
        fprintf(stderr, "replay: cannot read %s\n", path);
        exit(1);
    }
    *ret_size = (size_t)size;
    return data;
}

static void replay(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    size_t size = 0;
    uint8_t *data = read_file(path, &size);
    fprintf(stderr, "%s\n", path); /* the last one named is the one that crashed */
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

int main(int argc, char **argv)
{
    uint8_t nothing = 0;
    LLVMFuzzerTestOneInput(&nothing, 0);
    if (argc != 2)
        return 2;
    DIR *folder = opendir(argv[1]);
    if (!folder)
        return errno == ENOENT ? 0 : 1;
    const struct dirent *entry;
    while ((entry = readdir(folder)))
        if (entry->d_name[0] != '.')
            replay(argv[1], entry->d_name);
    closedir(folder);
    return 0;
}
