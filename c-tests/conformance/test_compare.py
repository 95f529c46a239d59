"""The verdicts, on made-up results. `python3 -B -m unittest discover -s conformance`."""

import itertools
import unittest

from compare import BETTER, FLICKERS, REGRESSION, SAME, judge
from runner import FAIL, HIDDEN, NOT_BUILT, PASS, SKIP, TIMEOUT, Result


def result(status):
    return Result(status, "", 0.0)


def verdict(upstream, ours, again_upstream=(PASS,), again_ours=(PASS,), theirs="upstream"):
    runs = {theirs: itertools.cycle(again_upstream), "shared": itertools.cycle(again_ours)}
    first = {theirs: result(upstream), "shared": result(ours)}
    return judge(first, lambda name: result(next(runs[name])), theirs)["shared"].word


class Verdicts(unittest.TestCase):
    def test_equal_results_are_not_run_again(self):
        def never(_):
            raise AssertionError("ran again")

        for ours in ((PASS, PASS), (SKIP, SKIP), (FAIL, FAIL), (TIMEOUT, TIMEOUT), (FAIL, TIMEOUT), (PASS, HIDDEN)):
            first = {"upstream": result(ours[0]), "static": result(ours[0]), "shared": result(ours[1])}
            self.assertEqual({v.word for v in judge(first, never).values()}, {SAME})

    def test_all_are_run_again_when_one_differs(self):
        ran = []

        def run(name):
            ran.append(name)
            return result(PASS)

        first = {"upstream": result(FAIL), "static": result(FAIL), "shared": result(PASS), "other": result(HIDDEN)}
        verdicts = judge(first, run)
        self.assertEqual(set(ran), {"upstream", "static", "shared"})
        self.assertEqual([verdicts[n].word for n in ("static", "shared", "other")], [FLICKERS, FLICKERS, SAME])

    def test_a_case_that_hangs_is_not_run_for_ever(self):
        ran = []

        def run(name):
            ran.append(name)
            return result(PASS if name == "upstream" else TIMEOUT)

        first = {"upstream": result(PASS), "shared": result(TIMEOUT)}
        self.assertEqual(judge(first, run)["shared"].word, REGRESSION)
        self.assertEqual(len(ran), 4)

    def test_a_steady_failure_of_ours_is_a_regression(self):
        for ours in (FAIL, TIMEOUT, SKIP):
            self.assertEqual(verdict(PASS, ours, (PASS,), (ours,)), REGRESSION)
        self.assertEqual(verdict(SKIP, FAIL, (SKIP,), (FAIL,)), REGRESSION)

    def test_what_does_not_compile_is_a_regression(self):
        self.assertEqual(verdict(PASS, NOT_BUILT), REGRESSION)
        self.assertEqual(verdict(FAIL, NOT_BUILT), REGRESSION)
        self.assertEqual(verdict(NOT_BUILT, PASS), BETTER)

    def test_one_disturbed_run_is_not(self):
        self.assertEqual(verdict(PASS, FAIL), FLICKERS)
        self.assertEqual(verdict(FAIL, PASS), FLICKERS)

    def test_failing_now_and_then_on_ours_alone_is_a_regression(self):
        self.assertEqual(verdict(PASS, FAIL, (PASS,), (PASS, PASS, PASS, FAIL)), REGRESSION)

    def test_a_hang_now_and_then_shows_nothing(self):
        self.assertEqual(verdict(PASS, TIMEOUT, (PASS,), (PASS, PASS, PASS, TIMEOUT)), FLICKERS)
        self.assertEqual(verdict(PASS, TIMEOUT, (PASS,), (TIMEOUT, TIMEOUT, PASS, TIMEOUT)), REGRESSION)

    def test_wavering_on_both_is_the_tests_doing(self):
        self.assertEqual(verdict(PASS, FAIL, (PASS, FAIL), (FAIL, PASS, FAIL)), FLICKERS)

    def test_never_passing_where_upstream_usually_does(self):
        self.assertEqual(verdict(PASS, FAIL, (PASS, PASS, FAIL), (FAIL,)), REGRESSION)
        self.assertEqual(verdict(PASS, FAIL, (FAIL, FAIL, FAIL, PASS), (FAIL,)), FLICKERS)

    def test_passing_where_upstream_fails(self):
        self.assertEqual(verdict(FAIL, PASS, (FAIL,), (PASS,)), BETTER)
        self.assertEqual(verdict(FAIL, PASS, (FAIL, PASS), (PASS,)), FLICKERS)


if __name__ == "__main__":
    unittest.main()
