# SPDX-License-Identifier: Apache-2.0
import pathlib
import subprocess
import tempfile
import unittest

import run_guide


class Blocks(unittest.TestCase):
    def test_come_with_their_language_and_line(self):
        self.assertEqual(run_guide.blocks_of("# A\n\n```sh\necho 1\n```\n\n```json\n1\n```\n"), [("sh", 3, "echo 1\n"), ("json", 7, "1\n")])

    def test_fit_by_value_order_and_type(self):
        self.assertTrue(run_guide.fits({"a": [1, "…"]}, {"a": [1, "x"]}))
        for actual in ({"a": [1]}, {"a": [1, 2]}, {"a": [1.0, "x"]}, {"a": [1, "x"], "b": 1}, {"a": [True, "x"]}):
            self.assertFalse(run_guide.fits({"a": [1, "…"]}, actual))
        self.assertFalse(run_guide.fits({"a": 1, "b": 2}, {"b": 2, "a": 1}))
        self.assertFalse(run_guide.fits(None, False))

    def test_the_last_value_counts(self):
        self.assertEqual(run_guide.last_json('{"a":1}\n{"a":2}'), {"a": 2})
        self.assertIsNone(run_guide.last_json("null"))
        with self.assertRaises(ValueError):
            run_guide.last_json("{} and more")

    def run_blocks(self, page):
        folder = pathlib.Path(tempfile.mkdtemp())
        blocks = run_guide.blocks_of(page)
        done = subprocess.run(["bash", "-c", run_guide.script_of(blocks, folder)], cwd=folder)
        outputs = {i: p.read_text() for i in range(len(blocks)) if (p := folder / f"{i}.out").exists()}
        return done.returncode, list(run_guide.problems_of(blocks, outputs))

    def test_share_one_shell_and_are_held_against_what_the_page_says(self):
        page = "```sh\nn=4\n```\n```sh\necho $((n + 1))\n```\n```json\n%s\n```\n"
        self.assertEqual(self.run_blocks(page % "5"), (0, []))
        status, problems = self.run_blocks(page % "6")
        self.assertEqual(status, 0)
        self.assertIn("the page says\n6\nbut the output was\n5", problems[0])

    def test_a_command_that_fails_ends_the_page(self):
        self.assertNotEqual(self.run_blocks("```sh\nfalse\necho {}\n```\n")[0], 0)
        self.assertNotEqual(self.run_blocks("```sh\nfalse | cat\n```\n")[0], 0)

    def test_others_are_only_shown(self):
        self.assertEqual(self.run_blocks("```console\nfalse\n```\n"), (0, []))


if __name__ == "__main__":
    unittest.main()
