"""A canvas that is learned with the mask (Eq. 4) against an independent implementation (algorithm.py), under the rules of
test_search.py: along the library's own gradients every step is repeated; each on its own path, mask and canvas are equal
unless a sign differed on the way."""

import unittest

import numpy as np
from support import FASHION, REFERENCE_MODEL
from test_search import EQUAL, FRACTION, NEAR_ZERO, SEED, Case, reference_some, shipped_some


class Learned(Case):
    def check_learned(self, setting, target, preset, **more):
        options = {"epochs": 2, "fraction": FRACTION, "seed": SEED, "mask_steps": 3, "canvas_steps": 3, **more}
        _, canvas = self.ours(setting, target, preset, **options)
        image = setting.data[canvas.image][0]
        theirs = setting.theirs(image, target, preset, **options)
        walk = setting.theirs(image, target, preset, gradient_of=setting.gradient(target), **options)

        def equal(mask, colours):
            # Values of the canvas are multiples of 2/255 away from where they were; both programs round them to float32.
            return float((canvas.mask == mask).mean()), float((np.abs(canvas.canvas - colours) < 1e-6).mean())

        apart, along = equal(theirs.mask, theirs.canvas), equal(walk.mask, walk.canvas)
        print(
            f"{preset}, class {target}, {theirs.steps} steps of the mask and {theirs.canvas_steps} of the canvas: mask and "
            f"canvas equal in {apart[0]:.2%} and {apart[1]:.2%}, along the library's gradients in {along[0]:.2%} and "
            f"{along[1]:.2%}; at each step {min(walk.agreed):.2%} of the signs, the others below {max(walk.apart):.1e} of the gradient"
        )
        self.assertEqual((canvas.steps, canvas.canvas_steps), (theirs.steps, theirs.canvas_steps))
        self.assertGreaterEqual(min(along), EQUAL)
        self.assertGreaterEqual(min(walk.agreed), EQUAL)
        self.assertLess(max(walk.apart), NEAR_ZERO)
        if min(walk.agreed) == 1:
            self.assertGreaterEqual(min(apart), EQUAL)
            np.testing.assert_allclose(canvas.epochs, theirs.epochs, rtol=0.01)
        # The rule can tell a canvas that stayed, and the mask that belongs to it.
        _, still = self.ours(setting, target, preset, **{**options, "canvas_steps": 0})
        self.assertLess(max(equal(still.mask, image)), EQUAL - 0.1)

    def test_shipped_paper(self):
        """Three and three of twenty steps, over the end of an epoch."""
        self.check_learned(shipped_some(), 0, "paper")

    def test_shipped_authors(self):
        """The last update of the mask, which is dropped, is followed by others of the canvas."""
        self.check_learned(shipped_some(), 8, "authors", mask_steps=2, canvas_steps=3, tv=0.2)

    @unittest.skipUnless(REFERENCE_MODEL.exists(), f"there is no {REFERENCE_MODEL.name} beside the project")
    @unittest.skipUnless(FASHION.exists(), "needs Debian's package dataset-fashion-mnist")
    def test_reference(self):
        self.check_learned(reference_some(), 0, "paper", epochs=1)


if __name__ == "__main__":
    unittest.main()
