/* replay - runs a fuzz target over kept inputs, for builds without libFuzzer.
 *
 * usage: fuzz_x DIR_OR_FILE... */

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = NULL;
    size_t len = 0;

    if (file == NULL) {
        perror(path);
        return 1;
    }
    fseek(file, 0, SEEK_END);
    len = (size_t)ftell(file);
    rewind(file);
    bytes = malloc(len > 0 ? len : 1); /* exact, so that ASan sees one byte too far */
    if (bytes == NULL || fread(bytes, 1, len, file) != len) {
        fclose(file);
        free(bytes);
        return 1;
    }
    fclose(file);
    LLVMFuzzerTestOneInput(bytes, len);
    free(bytes);
    return 0;
}

static int replay(const char *path)
{
    struct stat st;
    struct dirent *entry = NULL;
    int failed = 0;
    DIR *dir = NULL;

    if (stat(path, &st) != 0) {
        perror(path);
        return 1;
    }
    if (!S_ISDIR(st.st_mode))
        return replay_file(path);
    dir = opendir(path);
    if (dir == NULL)
        return 1;
    while ((entry = readdir(dir)) != NULL) {
        char name[4096];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        failed |= replay(name);
    }
    closedir(dir);
    return failed;
}

int main(int argc, char **argv)
{
    int failed = 0;

    for (int i = 1; i < argc; i++)
        failed |= replay(argv[i]);
    return failed;
}
