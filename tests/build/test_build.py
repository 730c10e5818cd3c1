"""The Makefile: what changed is made anew and nothing else, and a packager's words are taken."""

import gzip
import os
import pathlib
import re
import subprocess

import pytest

from conftest import QUICK

PROGRAMS = {"banter.fcgi", "banterctl"}
MARK = "a mark that stands nowhere else: "


def sources(tree):
    """What the two programs are made of, as would() names it."""
    return {str(path.relative_to(tree.folder))[:-2] for path in (tree / "app").glob("*/*.c")} | {"sql", "web"}


# What is up to date


def test_a_second_make_does_nothing(built):
    assert built.run("make", "-q", QUICK).returncode == 0
    assert built.make(QUICK) == "make: Nothing to be done for 'all'.\n"


def test_asking_what_make_would_do_changes_nothing(built):
    assert built.would("CFLAGS=-O3")[0]
    assert built.run("make", "-q", QUICK).returncode == 0


def test_the_folder_may_be_named_in_another_way(tree):
    """Long or short: how much memory a name takes has misled make."""
    for slashes in range(1, 13):
        assert tree.run("make", "-q", QUICK, f"B={tree.folder}{'/' * slashes}build").returncode == 0
    tree.append("include/base/buf.h", "\n")
    assert "-c -MMD" in tree.make("-n", "V=1", QUICK, f"B={tree.folder}/build")


@pytest.mark.parametrize("folder", ["", "two words", "build other"])
def test_a_folder_that_make_would_take_for_two_is_refused(tree, folder):
    tree.write("other/file", "")
    done = tree.run("make", "clean", f"B={folder}")
    assert done.returncode != 0 and f'"{folder}"' in done.stdout
    assert (tree / "other/file").exists() and (tree / "build").exists()


@pytest.mark.parametrize("where", ["command line", "environment"])
@pytest.mark.parametrize("word", ["CC=clang", "CFLAGS=-O1", "CPPFLAGS=-DMINE", "SAN=-fsanitize=undefined"])
def test_another_compiler_or_flag_compiles_everything(built, word, where):
    name, value = word.split("=", 1)
    if where == "command line":
        # make's own order: the later one counts.
        compiled, linked = built.would(QUICK, word)
    else:
        compiled, linked = built.would(*([] if name == "CFLAGS" else [QUICK]), **{name: value})
    assert compiled == sources(built)
    assert linked == PROGRAMS


@pytest.mark.parametrize("where", ["command line", "environment"])
@pytest.mark.parametrize("word", ["LDFLAGS=-Wl,-z,now", "LDLIBS=-lm", "LIBS=-lm"])
def test_another_flag_of_the_linker_links_only(built, word, where):
    name, value = word.split("=", 1)
    words, environment = ([word], {}) if where == "command line" else ([], {name: value})
    assert built.would(QUICK, *words, **environment) == (set(), PROGRAMS)
    assert built.would(QUICK, "build/unit/test_buf", *words, **environment) == (set(), {"unit/test_buf"})


def test_other_libraries_compile_and_link(tree):
    """Whatever pkg-config says counts."""
    tree.write("other-pkg-config", '#!/bin/sh\npkg-config "$@" && echo -L/somewhere\n')
    (tree / "other-pkg-config").chmod(0o755)
    compiled, linked = tree.would(QUICK, "PKG_CONFIG=./other-pkg-config")
    assert compiled == sources(tree) and linked == PROGRAMS


@pytest.mark.parametrize("word", ["WERROR=-Werror", "V=1", "PREFIX=/opt/banter", "DESTDIR=/tmp/there"])
def test_what_bears_on_no_file_builds_nothing(built, word):
    assert built.run("make", "-q", QUICK, word).returncode == 0


def test_flags_are_remembered(tree):
    """One file, really: built with other flags, left alone with the same, built again with the first."""
    file = "build/obj/app/base/buf.o"
    said = []
    for flags in ("-O0", "-O1", "-O1", "-O0", "-O0"):
        said.append("  CC  app/base/buf.c" in tree.make(f"CFLAGS={flags}", file))
    assert said == [False, True, False, True, False]


# What has changed


def test_a_header_compiles_what_includes_it(tree):
    tree.append("include/cli/terminal.h", "\n")
    compiled, linked = tree.would(QUICK)
    assert "app/cli/terminal" in compiled and "app/base/buf" not in compiled
    assert compiled < sources(tree) and linked == {"banterctl"}


def test_the_schemas_header_compiles_it(tree):
    tree.append("include/ctl/sql.h", "\n")
    assert "sql" in tree.would(QUICK)[0]


def test_a_header_that_is_gone_does_not_hinder(tree):
    tree.write("include/base/gone.h", "")
    status = (tree / "app/base/status.c").read_text()
    tree.write("app/base/status.c", f'#include "base/gone.h"\n{status}')
    tree.make(QUICK)
    tree.write("app/base/status.c", status)
    (tree / "include/base/gone.h").unlink()
    tree.make(QUICK)


def test_a_unit_test_is_linked_with_what_changed(tree):
    tree.append("app/base/status.c", "\n")
    assert tree.would(QUICK, "build/unit/test_buf") == ({"app/base/status"}, {"unit/test_buf"})


def test_an_sql_file_that_comes_changes_and_goes(tree):
    """In a folder that was not there. It comes with an old date, as one that is moved there does."""
    file = "sql/attic/thing.sql"
    for text in (MARK + "one", MARK + "two"):
        tree.write(file, f"select '{text}';\n")
        if text.endswith("one"):
            os.utime(tree / file, (0, 0))
        assert "  CC  build/obj/sql.c\n  LD  build/banterctl\n" in tree.make(QUICK)
        assert tree.holds("build/banterctl", text) and tree.holds("build/banterctl", "attic/thing.sql")
    (tree / file).unlink()
    tree.make(QUICK)
    assert not tree.holds("build/banterctl", MARK) and not tree.holds("build/banterctl", "attic/thing.sql")
    assert tree.run("make", "-q", QUICK).returncode == 0


def test_migrations_come_first_and_roles_last(built):
    names = re.findall(r'^\t\{ "(.*)",$', (built / "build/obj/sql.c").read_text(), re.MULTILINE)
    migrations = [name for name in names if name.startswith("migrations/")]
    assert names[:len(migrations)] == migrations == sorted(migrations)
    assert names[-1] == "roles.sql" and names[len(migrations):-1] == sorted(names[len(migrations):-1])
    assert len(names) == len(list((built / "sql").glob("**/*.sql")))


def test_a_c_file_that_comes_and_goes(tree):
    all_of_it = ("build/banter.fcgi", "build/banterctl", "build/libbanter.a")
    tree.write("app/wire/thing.c", f'extern const char thing[];\nconst char thing[] = "{MARK}";\n')
    os.utime(tree / "app/wire/thing.c", (0, 0))
    tree.make(QUICK, *all_of_it)
    assert all(tree.holds(file, MARK) for file in all_of_it)
    (tree / "app/wire/thing.c").unlink()
    tree.make(QUICK, *all_of_it)
    assert not any(tree.holds(file, MARK) for file in all_of_it)
    assert tree.run("make", "-q", QUICK, *all_of_it).returncode == 0


def test_what_is_generated_follows_what_it_is_made_of(tree):
    tree.append("deploy/man/banter.fcgi.8", f'.\\" {MARK}\n')
    tree.make(QUICK)
    assert tree.holds("build/man/banter.fcgi.8", MARK)
    tree.append("app/cli/completion.c", "\n")
    said = tree.make("-n", "V=1", QUICK)
    for file in ("man/banterctl.1", "man/banter.conf.5", "completions/bash/banterctl", "completions/zsh/_banterctl"):
        assert f">build/{file}\n" in said


def test_a_change_of_the_APIs_description_is_in_the_program(tree):
    tree.append("app/http/openapi.json", f"{MARK}\n")
    assert tree.would(QUICK) == ({"app/http/description"}, {"banter.fcgi"})
    tree.make(QUICK)
    assert tree.holds("build/banter.fcgi", MARK)


def widget(tree):
    """What is installed of it: {file's name: bytes}, and its version, which all of it must name."""
    web = tree / "build/obj/web"
    [version] = [path.name for path in (web / "banter").iterdir()]
    assert re.findall(r"banter/([0-9a-f]{16})/", (web / "banter.js").read_text()) == [version]
    assert tree.holds("build/banter.fcgi", f"banter/{version}/")
    return {path.name: path.read_bytes() for path in web.rglob("*") if path.is_file()}, version


def test_a_file_of_the_widget_that_comes_changes_and_goes(tree):
    """The program is linked anew with it, and nothing else is made; its version is what is in it, and nothing else's."""
    first = widget(tree)
    words = {path.name for path in (tree / "app/web").glob("words-*.js")}
    assert {name[:-3] for name in first[0] if name.endswith(".gz")} == {"banter.js", "widget.js", *words}
    versions = [first[1]]
    for text in ("one", "two"):
        tree.write("app/web/attic.js", f"// A comment.\n{{\n\t'{MARK}{text}';\n}}\n")
        assert tree.make(QUICK) == "".join(
            f"  {line}\n" for line in ("GEN build/obj/web", "GEN build/obj/web.c", "CC  build/obj/web.c", "LD  build/banter.fcgi"))
        assert tree.holds("build/banter.fcgi", MARK + text)
        files, version = widget(tree)
        assert gzip.decompress(files["attic.js.gz"]) == files["attic.js"] == f"{{\n'{MARK}{text}';\n}}\n".encode()
        versions.append(version)
    assert len(set(versions)) == 3
    (tree / "app/web/attic.js").unlink()
    tree.make(QUICK)
    assert widget(tree) == first and not tree.holds("build/banter.fcgi", MARK)
    assert tree.run("make", "-q", QUICK).returncode == 0


def test_what_the_widget_imports_is_in_its_file(tree):
    _, version = widget(tree)
    for file in ("markdown.js", "api.js"):
        tree.append(f"app/web/{file}", f"export const {file[:-3]}Attic = '{MARK}';\n")
    tree.append("app/web/widget.css", f"[part=attic] {{ color: {MARK} }}\n")
    tree.make(QUICK)
    files, now = widget(tree)
    text = files["widget.js"].decode()
    assert now != version and text.count(MARK) == 3 and "\nconst markdownAttic" in text and f"color: {MARK} }}`);" in text
    assert not re.search(r"^import |^export (?!async function start)", text, re.MULTILINE)


def test_the_loader_and_the_demos_page_are_not_in_the_version(tree):
    _, version = widget(tree)
    tree.append("app/web/banter.js", f"'{MARK}';\n")
    tree.write("app/web/demo.html", f"<!-- {MARK} -->\n")
    tree.make(QUICK)
    files, now = widget(tree)
    assert now == version and MARK.encode() in files["banter.js"] and "demo.html" not in files


def test_a_change_of_the_demos_page_makes_nothing(tree):
    tree.write("app/web/demo.html", f"<!-- {MARK} -->\n")
    assert tree.run("make", "-q", QUICK).returncode == 0


def test_what_fails_leaves_nothing_behind(tree):
    tree.write("app/ctl/embed-sql", "#!/bin/sh\necho half of it\nexit 1\n")
    assert tree.run("make", QUICK).returncode != 0
    assert not (tree / "build/obj/sql.c").exists()


# What a packager says


def test_a_packagers_flags_replace_our_defaults_and_keep_what_we_need(built):
    lines = built.make("-n", "V=1", "-B", CC="my-cc", CPPFLAGS="-DMINE", CFLAGS="-O3", LDFLAGS="-Wl,-z,now", LDLIBS="-lmine")
    compiled = [line for line in lines.splitlines() if line.startswith("my-cc") and " -c " in line]
    linked = [line for line in lines.splitlines() if line.startswith("my-cc") and " -c " not in line]
    assert len(compiled) == len(sources(built)) and len(linked) == len(PROGRAMS)
    for line in compiled:
        assert {"-std=c11", "-Iinclude", "-DMINE", "-O3"} <= set(line.split()), line
        assert not {"-O2", "-g", "-Werror", "-lmine"} & set(line.split()), line
    for line in linked:
        assert {"-Wl,-z,now", "-O3"} <= set(line.split()), line
        assert line.split()[-1] == "-lmine" and line.split().index("-lpq") < line.split().index("-lmine")


def test_our_defaults(built):
    lines = built.make("-n", "V=1", "-B")
    assert " -O2 -g " in lines and "-Werror" not in lines


def test_a_warning_is_an_error_for_us_only(tree):
    tree.append("app/base/status.c", "static int nobody_calls_this(void)\n{\n\treturn 1;\n}\n")
    done = tree.run("make", QUICK, "build/obj/app/base/status.o", WERROR="-Werror")
    assert done.returncode != 0 and "nobody_calls_this" in done.stdout
    assert "warning" in tree.make(QUICK, "build/obj/app/base/status.o")


@pytest.mark.parametrize("where", ["command line", "environment"])
def test_prefix_and_destdir(built, tmp_path, where):
    words = {"DESTDIR": str(tmp_path), "PREFIX": "/opt/banter"}
    if where == "environment":
        said = built.make(QUICK, "install", **words)
    else:
        said = built.make(QUICK, "install", *(f"{name}={value}" for name, value in words.items()))
    assert said == ""
    for file in ("bin/banterctl", "lib/banter/banter.fcgi", "share/man/man1/banterctl.1"):
        assert (tmp_path / "opt/banter" / file).is_file()


def test_both_compilers_take_our_flags(tree):
    for compiler in ("gcc", "clang"):
        tree.make(QUICK, f"CC={compiler}", "WERROR=-Werror", "build/obj/app/base/buf.o", "build/obj/sql.o", "build/obj/web.o")


# What make says


def test_it_says_a_line_a_file_or_all_or_nothing(tree):
    def touched(*words):
        tree.append("app/base/clock.c", "\n")
        return tree.make(QUICK, "build/obj/app/base/clock.o", *words)

    assert touched() == "  CC  app/base/clock.c\n"
    assert touched("-s") == ""
    shown = touched("V=1").splitlines()
    assert len(shown) == 1 and re.match(r"cc .*-std=c11 .* -o build/obj/app/base/clock\.o app/base/clock\.c$", shown[0])


# What the tests are built from


def test_the_archive_has_everything_but_what_is_main(built):
    """What a test stubs is then found first, whatever folder it is of."""
    there = subprocess.run(["ar", "t", built / "build/libbanter.a"], capture_output=True, text=True, check=True).stdout.split()
    assert sorted(there) == sorted(
        ["web.o"] + [f"{path.stem}.o" for path in (built / "app").glob("*/*.c") if path.stem != "main"])
    assert "route.o" in there


def test_make_unit_runs_the_tests_that_have_a_source(tree):
    for path in (tree / "tests/unit").glob("test_*.c"):
        if path.name not in ("test_buf.c", "test_str.c"):
            path.unlink()
    assert re.findall(r"^# (test_\w+)$", tree.make("-s", QUICK, "unit"), re.MULTILINE) == ["test_buf", "test_str"]
    (tree / "tests/unit/test_str.c").unlink()
    assert re.findall(r"^# (test_\w+)$", tree.make("-s", QUICK, "unit"), re.MULTILINE) == ["test_buf"]
    tree.append("tests/unit/test_buf.c", "__attribute__((constructor)) static void fails(void)\n{\n\t_exit(1);\n}\n")
    tree.write("tests/unit/test_buf.c", "#include <unistd.h>\n" + (tree / "tests/unit/test_buf.c").read_text())
    assert tree.run("make", "-s", QUICK, "unit").returncode != 0


def test_a_program_that_prints_is_built_when_asked_for(tree):
    tree.write("tests/unit/print_thing.c", f'#include <stdio.h>\nint main(void)\n{{\n\tputs("{MARK}");\n\treturn 0;\n}}\n')
    tree.make(QUICK, "build/unit/print_thing")
    assert tree.run("build/unit/print_thing").stdout == MARK + "\n"


def test_the_fuzzers_are_built_as_truly(tree):
    def fuzz(*words):
        return tree.make("-f", "tests/fuzz/fuzz.mk", "O=build/fuzz", "build/fuzz/obj/app/base/buf.o", *words)

    assert "  CC  app/base/buf.c\n" in fuzz()
    assert "  CC  app/base/buf.c\n" not in fuzz()
    assert "  CC  app/base/buf.c\n" in fuzz("MODE=-fprofile-instr-generate -fcoverage-mapping")
    assert pathlib.Path(tree / "build/fuzz/obj/app/base/buf.d").exists()
