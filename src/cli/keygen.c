/*
 * kedge keygen: an age key pair, in the form that age-keygen writes.
 */
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/os.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/console.h"
#include "crypto/age.h"
#include "crypto/secret.h"
#include "service/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

/* A key file that is lost is lost with every backup made for it: none is written over. */
static int write_key(struct os *os, const char *path, const struct secret *content,
                     struct error *err)
{
    int fd = os->openat(os, AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST) {
        error_set(err, ERROR_EXISTS, "%s is there already", path);
        return error_hint(err, "choose another name, or move the old key away");
    }
    if (fd < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "create %s", path);
    int result = file_write_all(os, fd, content->data, content->length, path, err);
    if (result == 0)
        result = file_sync(os, fd, path, err);
    file_close(os, &fd);
    if (result < 0) {
        file_remove(os, path, NULL);
        return -1;
    }
    SCOPED(string) char *folder = path_folder(path);
    return folder_sync(os, folder, err);
}

static void print_pair(const char *recipient, const char *file, const char *identity)
{
    json_t *object = json_object();
    json_object_set_new(object, "recipient", json_string(recipient));
    json_object_set_new(object, "file", console_json_text(file));
    if (!file)
        json_object_set_new(object, "identity", json_string(identity));
    console_json(object);
}

int command_keygen(struct cli *cli, struct error *err)
{
    SCOPED(secret) struct secret identity = SECRET_INIT;
    SCOPED(secret) struct secret content = SECRET_INIT;
    char recipient[AGE_RECIPIENT_SIZE];
    if (age_keygen(cli->os, &identity, recipient, err) < 0)
        return -1;
    age_identity_write(cli->os, &identity, recipient, &content);

    const char *file = settings_text(cli->settings, SETTING_OUTPUT);
    if (file && write_key(cli->os, file, &content, err) < 0)
        return -1;
    if (console_wants_json(cli))
        print_pair(recipient, file, secret_text(&identity));
    else if (file)
        console_result("Public key: %s", recipient);
    else
        fwrite(content.data, 1, content.length, stdout);
    return 0;
}
