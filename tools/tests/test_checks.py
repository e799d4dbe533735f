# SPDX-License-Identifier: Apache-2.0
"""Shows that each check of tools/ fails on a bad sample and is silent on a good one."""
import pathlib
import sys
import tomllib
import unittest

TOOLS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOOLS))

import check_co_await  # noqa: E402
import check_docs  # noqa: E402
import check_files  # noqa: E402
import check_forbidden_calls  # noqa: E402
import check_layers  # noqa: E402
import make_api_snapshot  # noqa: E402
import source_text  # noqa: E402


class Comments(unittest.TestCase):
    def test_are_blanked_and_lines_keep_their_numbers(self):
        code = source_text.without_comments('a; // b\n/* c\nd */ e("f // g");\n')
        self.assertEqual(code.count("\n"), 3)
        for gone in "bcdfg":
            self.assertNotIn(gone, code)
        self.assertIn('e("', code)

    def test_digit_separators_are_no_character_literals(self):
        self.assertIn("bad()", source_text.without_comments("int a = 1'000; bad(); int b = 2'000;"))

    def test_raw_strings_are_literals(self):
        self.assertNotIn("bad", source_text.without_comments('f(R"(bad " bad)");'))


class Directions(unittest.TestCase):
    def setUp(self):
        self.layers = check_layers.Layers(tomllib.loads((TOOLS / "layers.toml").read_text()))

    def problems(self, path, include, exists=True):
        text = f"#include {include}\n"
        return [m for _, m in check_layers.check_file(self.layers, path, text, lambda p: exists)]

    def assert_refused(self, path, include, exists=True):
        self.assertTrue(self.problems(path, include, exists), f"{path} including {include}")

    def assert_allowed(self, path, include):
        self.assertEqual(self.problems(path, include), [])

    def test_the_api_never_sees_storage_identity_or_functions(self):
        for room in ("storage", "identity", "functions"):
            self.assert_refused("server/api/client.cpp", f'"server/{room}/any.hpp"')
        self.assert_allowed("server/api/client.cpp", '"server/domain/sessions/session_service.hpp"')

    def test_the_domain_sees_neither_http_nor_storage(self):
        self.assert_refused("server/domain/sessions/session_service.cpp", '"server/http/listener.hpp"')
        self.assert_refused("server/domain/sessions/session_service.cpp", '"server/storage/sqlite/store.hpp"')

    def test_sdk_and_server_meet_in_core_only(self):
        self.assert_refused("sdk/app/app.cpp", '"server/domain/types.hpp"')
        self.assert_refused("server/api/client.cpp", '"sdk/session/session_manager.hpp"')
        self.assert_allowed("sdk/app/app.cpp", '"core/protocol/messages.hpp"')

    def test_core_sees_the_shared_vocabulary_only(self):
        self.assert_refused("core/jwt/jwt.cpp", "<keyturn/app.hpp>")
        self.assert_allowed("core/jwt/jwt.cpp", "<keyturn/base/result.hpp>")
        self.assert_refused("core/json/json.cpp", '"core/jwt/jwt.hpp"')
        self.assert_refused("core/protocol/routes.cpp", '"core/crypto/crypto.hpp"')

    def test_public_headers_see_no_private_one_and_no_third_party(self):
        self.assert_refused("include/keyturn/app.hpp", '"core/json/json.hpp"')
        self.assert_refused("include/keyturn/app.hpp", "<nlohmann/json.hpp>")
        self.assert_refused("include/keyturn/base/result.hpp", "<keyturn/app.hpp>")
        self.assert_allowed("include/keyturn/app.hpp", "<string_view>")

    def test_the_command_line_lives_from_public_headers(self):
        self.assert_refused("cli/main.cpp", '"core/json/json.hpp"')
        self.assert_allowed("cli/main.cpp", "<keyturn/app.hpp>")

    def test_each_library_has_its_sole_user(self):
        for path, header in (("server/api/client.cpp", "boost/beast.hpp"), ("server/http/listener.cpp", "curl/curl.h"),
                             ("core/jwt/jwt.cpp", "openssl/evp.h"), ("server/domain/accounts/user_service.cpp", "sodium.h"),
                             ("core/jwt/key.cpp", "nlohmann/json.hpp"), ("server/domain/types.cpp", "sqlite3.h"),
                             ("server/http/listener.cpp", "spdlog/spdlog.h"), ("server/http/listener.cpp", "CLI/CLI.hpp")):
            self.assert_refused(path, f"<{header}>")
        self.assert_allowed("server/http/listener.cpp", "<boost/beast/http.hpp>")
        self.assert_refused("core/json/json.cpp", "<unheard_of/library.hpp>")

    def test_core_touches_neither_files_nor_sockets(self):
        self.assert_refused("core/jwt/jwt.cpp", "<sys/socket.h>")
        self.assert_refused("core/protocol/routes.cpp", "<unistd.h>")

    def test_test_libraries_are_for_tests(self):
        self.assert_refused("core/json/json.cpp", "<gtest/gtest.h>")
        self.assert_allowed("core/json/json_test.cpp", "<gtest/gtest.h>")
        self.assert_refused("core/json/json.cpp", '"core/testing/fake_clock.hpp"')
        self.assert_allowed("core/json/json_test.cpp", '"core/testing/fake_clock.hpp"')

    def test_quotes_are_full_paths(self):
        self.assert_refused("core/json/json.cpp", '"json.hpp"', exists=False)
        self.assert_refused("core/json/json.cpp", '"core/json/missing.hpp"', exists=False)
        self.assert_refused("core/json/json.cpp", '"include/keyturn/base/result.hpp"')

    def test_a_comment_includes_nothing(self):
        self.assertEqual(self.problems("core/json/json.cpp", '<string>\n// #include "server/api/x.hpp"'), [])

    def test_a_rule_that_names_no_room_is_refused(self):
        with self.assertRaises(ValueError):
            check_layers.Layers({"room": {"a": {"may_include": ["b"]}}, "third_party": {}, "tests": {"folders": [], "may_include": []}})


class ForbiddenCalls(unittest.TestCase):
    def setUp(self):
        self.rules = check_forbidden_calls.load((TOOLS / "forbidden_calls.toml").read_text())

    def count(self, path, text):
        return len(list(check_forbidden_calls.check_file(self.rules, path, text)))

    def test_each_kind_is_found(self):
        for call in ("auto t = std::chrono::system_clock::now();", "steady_clock::now()", "clock_gettime(id, &t);", "time(nullptr)",
                     "std::time(0)", "std::this_thread::sleep_for(1s);", "usleep(3);", "sleep(1);", "int i = rand();", "srand(1);",
                     "std::random_device d;", 'getenv("HOME")', 'std::getenv("HOME")', "std::cout << 1;", "std::cerr << 1;",
                     'printf("x");', 'std::printf("x");', 'fprintf(stderr, "x");', "thread.detach();", "std::async(f);",
                     'system("ls");', 'popen("ls", "r");', "strcpy(a, b);", "sprintf(a, b);", "exit(1);", "std::exit(1);",
                     "gmtime(&t);"):
            self.assertEqual(self.count("server/domain/sample.cpp", call), 1, call)

    def test_what_only_looks_alike_is_not(self):
        for text in ("clock.wall_now();", "// rand() and std::cout", 'log("std::cout");', "app.exit(3);", "token.expires_time(now);",
                     "store.system();", "std::snprintf(b, sizeof b, f);", "Clock::system_clock();", "loop.sleep(1);", "operand();"):
            self.assertEqual(self.count("server/domain/sample.cpp", text), 0, text)

    def test_the_named_file_may(self):
        self.assertEqual(self.count("core/base/clock.cpp", "clock_gettime(id, &t);"), 0)
        self.assertEqual(self.count("server/daemon/config.cpp", 'getenv("X")'), 0)

    def test_the_message_names_the_alternative(self):
        messages = [m for _, m in check_forbidden_calls.check_file(self.rules, "sdk/app/a.cpp", "\n\nsystem_clock::now()")]
        self.assertIn("Clock&", messages[0])


class CoAwait(unittest.TestCase):
    def count(self, text):
        return len(list(check_co_await.check_text(text)))

    def test_temporaries_with_braces_are_found(self):
        self.assertEqual(self.count('co_await f(Agg{"x"});'), 1)
        self.assertEqual(self.count("auto r = co_await send({.url = u});"), 1)
        self.assertEqual(self.count("if (co_await f(A{1})) { g(); }"), 1)

    def test_lambdas_are_found(self):
        self.assertEqual(self.count("co_await f([s] (int) -> int;"), 1)
        self.assertGreaterEqual(self.count("co_await f([s]{ return s; });"), 1)

    def test_named_objects_indices_and_following_blocks_are_fine(self):
        for text in ("auto r = co_await f(request);", "co_await tasks[0];", "co_await f(a[i], b(c)[1]);",
                     "if (co_await f(x)) { g(); }", "while (co_await next(x)) { A{1}; }", "auto operator co_await() { return 1; }",
                     "// co_await f(A{1})"):
            self.assertEqual(self.count(text), 0, text)


class Files(unittest.TestCase):
    def problems(self, path, text, reasons=None):
        return list(check_files.check_file(path, text, reasons or {}))

    def test_a_source_without_licence_line_is_found(self):
        self.assertTrue(self.problems("core/a.cpp", "int a;\n"))
        self.assertTrue(self.problems("script/run", "#!/bin/bash\n"))
        self.assertEqual(self.problems("core/a.cpp", "// SPDX-License-Identifier: Apache-2.0\n"), [])
        self.assertEqual(self.problems("notes.md", "text\n"), [])

    def test_length_before_at_and_after_the_limits(self):
        def of(lines):
            return "// SPDX-License-Identifier: Apache-2.0\n" + "\n" * (lines - 1)
        self.assertEqual(self.problems("a.cpp", of(400)), [])
        self.assertTrue(self.problems("a.cpp", of(401)))
        self.assertEqual(self.problems("a.cpp", of(600), {"a.cpp": "a reason"}), [])
        self.assertTrue(self.problems("a.cpp", of(601), {"a.cpp": "a reason"}))
        self.assertTrue(self.problems("a.cpp", of(400), {"a.cpp": "not needed"}))


class Docs(unittest.TestCase):
    def test_a_broken_link_is_found_outside_of_code(self):
        text = "[a](here.md) [b](gone.md#x) [c](https://example.com)\n```cpp\n[](const X& x)\n```\n"
        self.assertEqual(check_docs.broken_links(text, lambda t: t == "here.md"), ["gone.md"])

    def test_an_example_that_does_not_compile_is_found(self):
        good, bad = check_docs.programs("```cpp\nint main() {}\n```\n```cpp\nint main() { f(); }\n```\n```cpp\npart();\n```\n")
        self.assertEqual(check_docs.compile_errors(good, source_text.ROOT), "")
        self.assertNotEqual(check_docs.compile_errors(bad, source_text.ROOT), "")


class ApiSnapshot(unittest.TestCase):
    HEADER = """
        #include <string>
        namespace keyturn {
        /// Says hello.
        class Greeter : public Base {
         public:
          explicit Greeter(std::string name) : name_{std::move(name)}, other_(1) {}
          [[nodiscard]] std::string greet(int times = {}) const { return "}"; }
          void leave();
          int shown{3};
         private:
          void hidden();
          std::string name_;
        };
        enum class Mood { good, bad };  // comment
        namespace detail { class Inner {}; }
        inline void Greeter::leave() {}
        }
    """

    def test_lists_what_is_public_and_nothing_else(self):
        self.assertEqual(make_api_snapshot.snapshot_of(self.HEADER), [
            "class Greeter : public Base", "  explicit Greeter(std::string name)",
            "  [[nodiscard]] std::string greet(int times = {}) const", "  void leave()", "  int shown{3}", "enum class Mood", "  good",
            "  bad"])

    def test_comments_and_white_space_do_not_matter_but_a_parameter_does(self):
        before = make_api_snapshot.snapshot_of(self.HEADER)
        self.assertEqual(before, make_api_snapshot.snapshot_of(self.HEADER.replace("/// Says hello.", "").replace("void leave", "void  leave")))
        self.assertNotEqual(before, make_api_snapshot.snapshot_of(self.HEADER.replace("void leave()", "void leave(int)")))


if __name__ == "__main__":
    unittest.main()
