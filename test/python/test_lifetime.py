"""What a view or a child needs lives as long as it does, and no longer."""

import gc
import unittest
import weakref

import numpy as np
import support

import iscp


class Lifetime(unittest.TestCase):
    def search(self):
        model = iscp.Model.load(support.MODEL, context=iscp.Context(log=lambda level, message: None))
        data = iscp.Dataset.open(support.IMAGES, input=model, limit=60)
        return iscp.search(model, data, **support.QUICK)

    def test_views_outlive_the_result(self):
        result = self.search()
        canvas = result[0].selected
        views = [canvas.mask, canvas.evidence, canvas.canvas, canvas.epochs]
        positions = result[0].pattern().positions
        copies = [view.copy() for view in (*views, positions)]
        handles = [weakref.ref(h) for h in (result._run.handle, result.model._handle, result.model.context._handle)]
        del result, canvas
        gc.collect()
        _ = [np.full(28 * 28, 7, np.float32) for _ in range(100)]  # memory that was given back would be used again
        for view, copy in zip((*views, positions), copies):
            np.testing.assert_array_equal(view, copy)
        self.assertTrue(all(handle() is not None for handle in handles))
        parts = [view[..., 1:] for view in views]
        del views, view
        gc.collect()
        self.assertIsNotNone(handles[0]())
        del parts, positions
        self.assertEqual([handle() for handle in handles], [None] * 3)

    def test_pattern_outlives_the_search(self):
        pattern = self.search()[0].pattern()
        gc.collect()
        image = np.zeros((3, 28, 28), np.float32)
        self.assertEqual(np.count_nonzero(pattern.mask), pattern.info.pixels)
        self.assertEqual(pattern.attach(image).shape, image.shape)
        self.assertTrue(pattern.png())

    def test_children_outlive_their_parents(self):
        model = iscp.Model.load(support.MODEL, context=iscp.Context())
        data = iscp.Dataset.open(support.IMAGES, input=model, limit=20)
        evaluation = iscp.Evaluation(model, data, images="all")
        canvas = data[0][0]
        del model, data
        gc.collect()
        pattern = iscp.Pattern.cut(np.ones((28, 28), np.float32), canvas, 0)
        self.assertLessEqual(evaluation.power(pattern).nontarget, 20)

    def test_nothing_waits_for_the_garbage_collector(self):
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        result = self.search()
        result[0].power([0.05], images="searched")
        with self.assertRaises(ZeroDivisionError):
            iscp.search(result.model, result.data, progress=lambda progress: 1 / 0)
        handles = [weakref.ref(h) for h in (result._run.handle, result.model._handle, result.data._handle)]
        del result
        self.assertEqual([handle() for handle in handles], [None] * 3)

    def test_destroyed_when_nobody_holds_it(self):
        model = iscp.Model.load(support.MODEL)
        model.logits(support.data()[:1][0])
        handle = weakref.ref(model._handle)
        del model
        self.assertIsNone(handle())
