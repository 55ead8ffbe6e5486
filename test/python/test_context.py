"""Contexts: options, log, and the one that is made when none is given."""

import logging
import os
import unittest

import support

import iscp


class Context(unittest.TestCase):
    def test_options(self):
        context = iscp.Context(threads=1, backend="blas")
        self.assertEqual((context.threads, context.backend), (1, "blas"))
        self.assertIn("OpenBLAS", context.kernels)
        self.assertIn(iscp.Context().backend, ("onednn", "blas"))

    def test_wrong_options(self):
        with self.assertRaisesRegex(ValueError, "backend must be one of 'auto', 'onednn', 'blas', not 'cuda'"):
            iscp.Context(backend="cuda")
        with self.assertRaisesRegex(ValueError, "log_level"):
            iscp.Context(log_level="loud")
        with self.assertRaisesRegex(TypeError, "log must be"):
            iscp.Context(log=3)
        with self.assertRaises(iscp.ArgumentError):
            iscp.Context(threads=-1)
        with self.assertRaisesRegex(iscp.ArgumentError, "memory is -1 bytes"):
            iscp.Context(memory=-1)
        for wide in {"memory": 2**64}, {"threads": 2**32 + 1}:
            with self.assertRaisesRegex(ValueError, f"{next(iter(wide))} is"):
                iscp.Context(**wide)
        with self.assertRaisesRegex(ValueError, "convolutions must be one of 'direct', 'fast'"):
            iscp.Context(convolutions="winograd")
        with self.assertRaisesRegex(ValueError, "precision"):
            iscp.Context(precision="f16")

    def test_options_reach_the_library(self):
        context = iscp.Context(memory=10**9, convolutions="fast")
        self.assertEqual((context.memory, context.convolutions, context.precision), (10**9, "fast", "f32"))

    def test_default_is_made_once(self):
        self.assertIs(iscp.default_context(), iscp.default_context())
        self.assertIs(support.model().context, iscp.default_context())
        self.assertIs(support.data().context, iscp.default_context())

    def test_log_goes_where_it_is_sent(self):
        lines = []
        context = iscp.Context(log=lambda level, message: lines.append((level, message)), log_level="debug")
        model = iscp.Model.load(support.MODEL, context=context)
        model.logits(support.data()[:1][0])
        self.assertIs(model.context, context)
        for level, message in lines:
            self.assertIn(level, ("error", "warning", "info", "debug"))
            self.assertIsInstance(message, str)

    def test_log_to_a_logger(self):
        logger = logging.Logger("test")
        records = []
        handler = logging.Handler()
        handler.emit = records.append
        logger.addHandler(handler)
        iscp.Model.load(support.MODEL, context=iscp.Context(log=logger, log_level="debug"))
        for record in records:
            self.assertIn(record.levelno, (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR))

    @unittest.skipUnless(hasattr(os, "fork"), "there is no fork")
    def test_forked_child_makes_its_own(self):
        image, parents = support.data()[:1][0], iscp.default_context()
        support.model().logits(image)
        child = os.fork()
        if child == 0:
            try:
                support.model().logits(image)
            except iscp.BusyError:
                os._exit(0 if iscp.default_context() is not parents else 2)
            finally:
                os._exit(1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
