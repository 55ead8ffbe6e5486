"""Progress, exceptions out of callbacks, and Ctrl-C."""

import os
import signal
import threading
import time
import unittest

import numpy as np
import support

import iscp

# Longer than any test waits.
ENDLESS = {"classes": [0], "canvases": 1, "epochs": 1000, "fraction": 1.0}


class Cancel(Exception):
    pass


class Progress(unittest.TestCase):
    def test_is_reported(self):
        seen = []
        iscp.search(support.model(), support.data(), **support.QUICK, progress=seen.append)
        self.assertTrue(all(isinstance(progress, iscp.Progress) for progress in seen))
        self.assertEqual(seen[-1].done, seen[-1].total)
        self.assertGreater(seen[-1].total, 0)
        self.assertIsInstance(seen[-1].stage, str)

    def test_exception_comes_out(self):
        def report(progress):
            raise Cancel("from the callback")

        with self.assertRaisesRegex(Cancel, "from the callback"):
            iscp.search(support.model(), support.data(), **ENDLESS, progress=report)
        with self.assertRaises(Cancel):
            iscp.Evaluation(support.model(), support.data(), progress=report)
        with self.assertRaises(Cancel):
            support.quick_result()[0].power([0.05], "all", progress=report)

    def test_true_cancels(self):
        with self.assertRaises(iscp.CancelledError):
            iscp.search(support.model(), support.data(), **ENDLESS, progress=lambda progress: True)

    def test_callback_is_not_called_again(self):
        calls = []

        def report(progress):
            calls.append(progress)
            raise Cancel

        with self.assertRaises(Cancel):
            iscp.search(support.model(), support.data(), **ENDLESS, progress=report)
        self.assertEqual(len(calls), 1)

    def test_goes_on_to_the_same_result(self):
        calls = []

        def report(progress):
            calls.append(progress)
            if len(calls) in (2, 4, 5):
                raise Cancel

        search = iscp.Search(support.model(), support.data(), **support.QUICK, progress=report)
        cancelled = 0
        while not search.result:
            try:
                next(search)
            except Cancel:
                cancelled += 1
        self.assertGreater(cancelled, 0)
        ours, theirs = search.result[0].selected, support.quick_result()[0].selected
        np.testing.assert_array_equal(ours.mask, theirs.mask)
        np.testing.assert_array_equal(ours.evidence, theirs.evidence)
        self.assertEqual(ours.loss, theirs.loss)

    def test_exception_at_the_end_loses_nothing(self):
        def report(progress):
            if progress.stage == "search" and progress.done == progress.total:
                raise Cancel

        search = iscp.Search(support.model(), support.data(), **support.QUICK, progress=report)
        with self.assertRaises(Cancel):
            list(search)
        search._progress = None
        list(search)
        self.assertEqual(list(search.result), [0])

    def test_in_another_thread(self):
        raised = []

        def report(progress):
            raise Cancel

        def run():
            try:
                iscp.search(support.model(), support.data(), **ENDLESS, progress=report)
            except Cancel as error:
                raised.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        self.assertEqual(len(raised), 1)


@unittest.skipUnless(os.name == "posix", "signals of a POSIX system")
class Interrupt(unittest.TestCase):
    def setUp(self):
        # A test runner may have started this process with SIGINT ignored.
        self.addCleanup(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, signal.default_int_handler))
        support.model(), support.data()

    def interrupted(self, work, after=1.0):
        timer = threading.Timer(after, os.kill, (os.getpid(), signal.SIGINT))
        start = time.monotonic()
        with self.assertRaises(KeyboardInterrupt):
            timer.start()
            work()
        self.assertLess(time.monotonic() - start, after + 30)
        timer.join()

    def test_search(self):
        self.interrupted(lambda: iscp.search(support.model(), support.data(), **ENDLESS))

    def test_search_with_progress(self):
        self.interrupted(
            lambda: iscp.search(support.model(), support.data(), **ENDLESS, progress=lambda progress: None)
        )

    def test_search_goes_on(self):
        search = iscp.Search(support.model(), support.data(), **ENDLESS)
        self.interrupted(lambda: next(search))
        self.interrupted(lambda: next(search))
        self.assertEqual(len(search.result), 0)

    def test_evaluation(self):
        data = support.data(2000)

        def work():
            while True:
                iscp.Evaluation(support.model(), data, images="all")

        self.interrupted(work)

    def test_logits(self):
        images = np.zeros((100_000, *support.model().contract.shape), np.float32)
        self.interrupted(lambda: support.model().logits(images))

    def test_other_signals_that_raise(self):
        def alarm(number, frame):
            raise TimeoutError

        self.addCleanup(signal.signal, signal.SIGALRM, signal.signal(signal.SIGALRM, alarm))
        signal.setitimer(signal.ITIMER_REAL, 1)
        with self.assertRaises(TimeoutError):
            iscp.search(support.model(), support.data(), **ENDLESS)
