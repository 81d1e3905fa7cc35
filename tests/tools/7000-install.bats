#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What `make install` puts where, and libarda as others use it.

load ../lib/common.bash

setup_file() { start_redis; }
teardown_file() { stop_all; }

setup() {
    root=$RUN_DIR/root
    makefile=$top_builddir/Makefile
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$top_builddir" install DESTDIR="$root" >"$RUN_DIR/install.out" 2>&1
    prefix=$(sed -n 's/^prefix = //p' "$makefile")
}

@test "programs, library, headers, pages and completions are installed" {
    for file in bin/arda-publish bin/arda-subscribe bin/arda-gateway bin/arda-token bin/arda-directory bin/arda-inbox \
        bin/arda-replay bin/arda-deliveries \
        lib/libarda.so lib/pkgconfig/libarda.pc include/libarda/arda/bus.h; do
        [ -e "$root$prefix/$file" ]
    done
    "$root$prefix/bin/arda-publish" --version
}

@test "a program of others builds with pkg-config and publishes" {
    cat >"$RUN_DIR/try.c" <<'EOF'
#include <arda/bus.h>
#include <arda/token.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

static void on_published(void *data, int result, const char *stream_id, const struct base_why *why)
{
    printf("%d %s %s\n", result, stream_id ? "in the stream" : "not in the stream", why ? why->text : "");
    arda_bus_shutdown(data, 1000, NULL, NULL);
}

static void on_state(void *data, bool up, const struct base_why *why)
{
    static const char event[] = "{\"type\":\"x\",\"tenantId\":\"t\"}";
    struct arda_bus **bus = data;
    struct arda_publication publication = {
        .tenant = {"t", 1}, .message = {event, strlen(event)}, .envelope = {event, strlen(event)},
        .type = {"x", 1}, .source = {"try", 3}, .timestamp = {"now", 3}};
    if (!up)
        puts(why->text);
    else if (arda_bus_publish(*bus, &publication, on_published, *bus) < 0)
        puts("not sent");
}

int main(int argc, char **argv)
{
    struct arda_bus *bus;
    struct base_why why;
    struct arda_bus_options options = {.url = argv[argc - 1], .on_state = on_state, .data = &bus};
    uv_loop_t *loop = uv_default_loop();
    if (arda_bus_get(loop, &options, &bus, &why) < 0)
        return puts(why.text), 1;
    uv_run(loop, UV_RUN_DEFAULT);
    return uv_loop_close(loop);
}
EOF
    export PKG_CONFIG_PATH=$root$prefix/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root
    value() { sed -n "s/^$1 = //p" "$makefile"; }
    # shellcheck disable=SC2046
    $(value CC) $(value SANITIZE_CFLAGS) -Wall -Werror -o "$RUN_DIR/try" "$RUN_DIR/try.c" \
        $(pkg-config --cflags libarda) $(env -u PKG_CONFIG_SYSROOT_DIR pkg-config --cflags --libs libuv) \
        $(pkg-config --libs libarda)
    LD_LIBRARY_PATH=$root$prefix/lib run "$RUN_DIR/try" "$REDIS_URL"
    [ "$output" = "0 in the stream " ]
    [ "$(redis xlen arda:stream:t)" = 1 ]
}
