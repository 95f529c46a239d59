"""The verdicts, on made-up results. `python3 -B -m unittest discover -s conformance`."""

import itertools
import unittest

from compare import BETTER, FLICKERS, REGRESSION, SAME, judge
from runner import FAIL, HIDDEN, NOT_BUILT, PASS, SKIP, TIMEOUT, Result


def result(status):
    return Result(status, "", 0.0)


def endless(*statuses):
    cycle = itertools.cycle(statuses)
    return lambda: result(next(cycle))


def verdict(upstream, ours, again_upstream=(PASS,), again_ours=(PASS,)):
    return judge(result(upstream), result(ours), endless(*again_upstream), endless(*again_ours)).word


class Verdicts(unittest.TestCase):
    def test_equal_results_are_not_run_again(self):
        def never():
            raise AssertionError("ran again")

        for status in (PASS, SKIP, FAIL, TIMEOUT):
            self.assertEqual(judge(result(status), result(status), never, never).word, SAME)
        self.assertEqual(judge(result(FAIL), result(TIMEOUT), never, never).word, SAME)
        self.assertEqual(judge(result(PASS), result(HIDDEN), never, never).word, SAME)

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

    def test_wavering_on_both_is_the_tests_doing(self):
        self.assertEqual(verdict(PASS, FAIL, (PASS, FAIL), (FAIL, PASS, FAIL)), FLICKERS)

    def test_never_passing_where_upstream_usually_does(self):
        self.assertEqual(verdict(PASS, FAIL, (PASS, PASS, FAIL), (FAIL,)), REGRESSION)
        self.assertEqual(verdict(PASS, FAIL, (FAIL, FAIL, FAIL, PASS), (FAIL,)), FLICKERS)

    def test_passing_where_upstream_fails(self):
        self.assertEqual(verdict(FAIL, PASS, (FAIL,), (PASS,)), BETTER)
        self.assertEqual(verdict(FAIL, PASS, (FAIL, PASS), (PASS,)), BETTER)


if __name__ == "__main__":
    unittest.main()
