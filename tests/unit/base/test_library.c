#include "harness/test.h"

#include "base/library.h"

#include <stddef.h>
#include <string.h>

static double (*cosine)(double);
static void (*nothing)(void);

static const struct library_symbol one[] = {{"cos", (void **)&cosine}, {NULL, NULL}};
static const struct library_symbol two[] = {
    {"cos", (void **)&cosine}, {"kedge_has_no_such_symbol", (void **)&nothing}, {NULL, NULL}};

TEST(a_library_is_loaded_once_and_its_functions_work)
{
    struct error err = ERROR_INIT;
    struct library library = {"libm.so.6", "libc6", one, false};
    assert_ok(library_load(&library, &err), err);
    assert_true(library.loaded);
    assert_true(cosine(0) > 0.99);
    library.file = "not looked at again";
    assert_ok(library_load(&library, &err), err);
}

TEST(a_library_that_is_not_there_names_its_package)
{
    struct error err = ERROR_INIT;
    struct library library = {"libkedge-none.so.1", "libkedge-none1", one, false};
    assert_fails(library_load(&library, &err), err, ERROR_FAILED);
    assert_non_null(strstr(err.message, "libkedge-none.so.1"));
    assert_string_equal(err.hint, "install the package libkedge-none1");
    assert_false(library.loaded);
}

TEST(a_library_that_is_too_old_names_what_it_lacks)
{
    struct error err = ERROR_INIT;
    struct library library = {"libm.so.6", "libc6", two, false};
    assert_fails(library_load(&library, &err), err, ERROR_FAILED);
    assert_string_equal(err.message, "libm.so.6 has no kedge_has_no_such_symbol");
    assert_non_null(strstr(err.hint, "libc6"));
    assert_false(library.loaded);
}

TEST_MAIN(UNIT(a_library_is_loaded_once_and_its_functions_work),
          UNIT(a_library_that_is_not_there_names_its_package),
          UNIT(a_library_that_is_too_old_names_what_it_lacks))
