"""A quick search and what it gives."""

import inspect
import unittest

import numpy as np
import support

import iscp
from iscp import _abi, _words
from iscp._abi import iscp_search_options
from iscp._library import defaults


class Result(unittest.TestCase):
    def setUp(self):
        self.result = support.quick_result()
        self.found = self.result[0]

    def test_mapping(self):
        self.assertEqual(
            (list(self.result), len(self.result), 0 in self.result, 1 in self.result), ([0], 1, True, False)
        )
        self.assertEqual((self.found.class_index, self.found.name), (0, support.model().class_names[0]))
        with self.assertRaises(KeyError):
            self.result[1]

    def test_canvas(self):
        (canvas,) = self.found.canvases
        self.assertIs(self.found.selected, canvas)
        self.assertEqual((canvas.kind, canvas.alpha, canvas.selected, canvas.index), ("positive", 8, True, 0))
        self.assertEqual(support.data().labels[canvas.image], 0)
        np.testing.assert_array_equal(canvas.canvas, support.data()[canvas.image][0])
        self.assertGreater(canvas.steps, 0)
        self.assertEqual((canvas.saturated, canvas.zeros), ((canvas.mask == 1).sum(), (canvas.mask == 0).sum()))
        self.assertGreater(canvas.loss, 0)
        self.assertGreaterEqual(canvas.power, 0)

    def test_views(self):
        (canvas,) = self.found.canvases
        for view, shape, dtype in (
            (canvas.mask, (28, 28), np.float32),
            (canvas.evidence, (28, 28), np.int32),
            (canvas.canvas, (3, 28, 28), np.float32),
            (canvas.epochs, (1,), np.float64),
        ):
            self.assertEqual((view.shape, view.dtype, view.flags.writeable), (shape, dtype, False))
            self.assertFalse(view.flags.owndata)
        self.assertTrue((canvas.mask >= 0).all() and (canvas.mask <= 1).all() and np.ptp(canvas.mask) > 0)
        # Away from the bounds, the mask is where it started plus a step for each unit of evidence.
        inside = np.abs(canvas.evidence) * 0.02 < 0.49
        np.testing.assert_allclose(canvas.mask[inside], 0.5 + 0.02 * canvas.evidence[inside], atol=1e-5)

    def test_pattern_is_the_best_of_the_mask(self):
        pattern, canvas = self.found.pattern(size=0.05), self.found.selected
        again = iscp.Pattern.cut(canvas.mask, canvas.canvas, 0, size=0.05, evidence=canvas.evidence)
        np.testing.assert_array_equal(pattern.positions, again.positions)
        self.assertEqual((pattern.info.pixels, pattern.info.target), (39, 0))
        above = self.found.pattern(gamma=0.5)
        self.assertEqual(above.info.pixels, (canvas.mask > 0.5).sum())

    def test_power(self):
        powers = self.found.power([0.05, 0.1], images="searched")
        self.assertEqual([(power.size, power.pixels, power.target) for power in powers], [(0.05, 39, 0), (0.1, 78, 0)])
        for power in powers:
            self.assertEqual(power.asr, power.nontarget_hits / power.nontarget)
            self.assertEqual(power.accuracy, power.target_correct / power.target_images)
        self.assertEqual(powers[0].pw, self.found.selected.power)

    def test_pictures(self):
        self.assertTrue(self.found._repr_png_().startswith(b"\x89PNG"))
        self.assertTrue(self.found.selected._repr_png_().startswith(b"\x89PNG"))
        self.assertEqual(self.result._repr_html_().count("<img "), 1)

    def test_words_for_people(self):
        for thing in (
            self.result,
            self.found,
            self.found.selected,
            self.found.pattern(),
            support.model(),
            support.data(),
        ):
            self.assertRegex(repr(thing), r"^<iscp\.\w+ .*>$")


class Search(unittest.TestCase):
    def test_defaults_are_the_librarys(self):
        options = defaults(iscp_search_options)
        ours = {name: p.default for name, p in inspect.signature(iscp.search).parameters.items()}
        self.assertEqual(ours, {n: p.default for n, p in list(inspect.signature(iscp.Search).parameters.items())})
        for name in ("canvases", "seed", "epochs", "batch", "step", "fraction", "select_size", "lanes", "pass_batch", "min_accuracy", "tv",
            "canvas_steps", "mask_steps", "canvas_step"):
            self.assertEqual(ours[name], getattr(options, name), name)
        self.assertEqual(_abi.PRESETS[ours["preset"]], options.preset)
        self.assertEqual(_abi.SELECTS[ours["select"]], options.select)
        self.assertEqual(_abi.TIES[ours["ties"]], options.ties)
        self.assertEqual(_abi.CANVASES[ours["canvas"]], options.canvas_kinds)

    def test_options_reach_the_library(self):
        own = np.stack([support.data()[0][0], support.data()[1][0]])
        search = iscp.Search(
            support.model(),
            support.data(),
            [3, 1],
            canvas=["white", own, own[0]],
            canvases=2,
            preset="authors",
            alpha=0.3,
            seed=2**63,
            epochs=7,
            batch=5,
            step=0.25,
            fraction=0.5,
            select="power",
            select_size=0.1,
            ties="index",
            lanes=3,
            canvas_steps=2,
            mask_steps=3,
            canvas_step=0.125,
        )
        options = search.result._run.options
        self.assertEqual((options.preset, options.alpha_mode, options.alpha, options.canvas_kinds), (2, 1, 0.3, 24))
        self.assertEqual((options.canvases, options.epochs, options.batch, options.lanes), (2, 7, 5, 3))
        self.assertEqual((options.step, options.fraction, options.select_size), (0.25, 0.5, 0.1))
        self.assertEqual((options.select, options.ties, options.seed), (2, 2, 2**63))
        self.assertEqual((options.canvas_steps, options.mask_steps, options.canvas_step), (2, 3, 0.125))
        self.assertEqual((options.classes[: options.class_count], options.user_canvas_count), ([3, 1], 3))
        values = np.ctypeslib.as_array(options.user_canvases, (3, *own.shape[1:]))
        np.testing.assert_array_equal(values, np.concatenate([own, own[:1]]))

    def test_canvases_of_several_kinds(self):
        own = support.data()[3][0]
        quick = {**support.QUICK, "fraction": 0.05, "seed": 3}
        found = iscp.search(support.model(), support.data(), canvas=["white", own], **quick)[0]
        self.assertEqual({canvas.kind: canvas.image for canvas in found.canvases}, {"white": None, "user": 0})
        by_kind = {canvas.kind: canvas for canvas in found.canvases}
        np.testing.assert_array_equal(by_kind["user"].canvas, own)
        self.assertEqual(by_kind["white"].canvas.min(), 1)
        self.assertEqual(sum(canvas.selected for canvas in found.canvases), 1)
        self.assertEqual(min(found.canvases, key=lambda canvas: (-canvas.power, canvas.loss)), found.selected)
        quick |= {"preset": "paper"}
        found = iscp.search(support.model(), support.data(), canvas=["white", own], **quick)[0]
        self.assertEqual(min(found.canvases, key=lambda canvas: canvas.loss), found.selected)

    def test_presets(self):
        for preset, alpha, select in ("predictive", 8, "power"), ("paper", 0.2, "loss"), ("authors", 8, "loss"):
            options = iscp.Search(support.model(), support.data(), preset=preset).result._run.options
            self.assertEqual((options.alpha, _words.word(_abi.SELECTS, options.select)), (alpha, select))
            self.assertEqual(_words.word(_abi.TIES, options.ties), "evidence")

    def test_learned_canvas(self):
        found = iscp.search(support.model(), support.data(), **support.QUICK, canvas_steps=1, mask_steps=1)[0]
        canvas, image = found.selected, support.data()[found.selected.image][0]
        self.assertIn(canvas.steps - canvas.canvas_steps, (0, 1))
        moved = np.abs(canvas.canvas - image) * 255 / 2
        self.assertGreater((moved > 0).mean(), 0.5)
        self.assertLess(moved.max(), canvas.canvas_steps + 1e-4)  # float32 values of 2/255 a step
        pattern = found.pattern()
        again = iscp.Pattern.cut(canvas.mask, canvas.canvas, 0, evidence=canvas.evidence)
        np.testing.assert_array_equal(pattern.attach(image), again.attach(image))

    def test_classes_one_by_one(self):
        quick = {**support.QUICK, "classes": [2, 0], "fraction": 0.05}
        search = iscp.Search(support.model(), support.data(), **quick)
        self.assertEqual(len(search.result), 0)
        self.assertEqual(sorted(found.class_index for found in search), [0, 2])
        self.assertEqual(sorted(search.result), [0, 2])
        self.assertEqual(list(search), [])

    def test_same_seed_same_bytes(self):
        again = iscp.search(support.model(), support.data(), **support.QUICK)
        np.testing.assert_array_equal(again[0].selected.evidence, support.quick_result()[0].selected.evidence)

    def test_wrong_arguments(self):
        for keywords, message in (
            ({"preset": "mine"}, "preset must be one of 'paper', 'authors', 'predictive', not 'mine'"),
            ({"select": None}, "select must be one of"),
            ({"alpha": "best"}, "alpha must be a number, 'auto' or None"),
            ({"classes": []}, "classes is empty"),
            ({"classes": [99]}, "99"),
            ({"classes": [0.5]}, "classes must be integers"),
            ({"alpha": -1.0}, "alpha"),
        ):
            with self.subTest(message), self.assertRaisesRegex((TypeError, ValueError), message):
                iscp.search(support.model(), support.data(), **keywords)
        with self.assertRaisesRegex(TypeError, "progress must be callable"):
            iscp.search(support.model(), support.data(), progress=1)
