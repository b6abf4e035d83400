"""Every number at which a check changes its answer, in one place.

Fitted on the development half of `benchmarks/failures`, seeds 0 to 4; how often they are
right on recipes that they were never fitted on stands in docs/experiments, "calibrating the
doctor".
"""

LOGIT = 50.0
"""Mean verdict beyond which both players have lost all measure (games with a fixed scale)."""
GRADIENT_GROWTH = 1e3
"""Gradient over its own median, from which on training is exploding."""
GAP = 500.0
"""Difference of verdicts in a game without a scale that no critic with slope 1 can reach: it
would be the distance of two images, which is about 300 for photos of 256 pixels."""

LOUDER = 10.0
"""Times the usual size of the discriminator's loss, beyond which it may have run away: of a log
that has no verdicts."""

TOGETHER = 20_000.0
"""Verdicts on photos and generated images alike, beyond which a game whose losses know only their
difference has run away too."""

STALLED = 5e-3
"""Movement of images in 100 steps, in mean distances of photos: below it nothing moves."""
MOVED = 0.1
"""Movement between two looks, however far apart, that shows a training at work."""
CRAWLING = 5e-2
"""The same, below which training has set: it moves, but nowhere."""

STEEPNESS = 1e-3
"""Gradient per image, below which nothing reaches the generator."""
SURE = 0.5
"""Share of the loss at a draw below which the discriminator is sure of itself."""
DRAW_SHARE = 0.01
"""Share of the loss at a draw below which the discriminator makes no mistakes any more."""
BETTER = 0.9
"""Distance of images to photos, over the least there ever was, of a generator that learns."""

FAR = 0.15
"""Distance of images to held-out photos, in mean distances of photos, from which on they are no
photos by any standard."""
NEAR = 0.012
"""The same, below which it is that of images that look like photos in 16 pixels."""
AWAY = 2.5
"""The same over the least there ever was, of images that have got away: at most 1.5 in healthy
trainings."""

OTHER_PHOTOS = 1.9
"""By how many standard deviations photos of the loop may be rated above those that the doctor was
given: up to 1.4 in healthy trainings, 3.6 and more with one batch for ever or with black photos."""
LEAST_SPREAD = 1e-3
"""Standard deviation of verdicts that is taken for none."""
SWAPPED = 2.0
"""Times a draw, and times what was told, of a loss with swapped targets."""

PREFERS_FAKES = 0.9
"""Share of recent steps in which generated images were rated above photos."""
GAP_REVERSED = 0.5
"""By how many standard deviations of verdicts within a batch."""

LEAD = 1.0
"""Difference of verdicts, in standard deviations within a batch, that is a lead."""
TURNS = 3
"""Changes of the lead in 300 steps that are no accident."""

NOTHING = 0.02
"""Mean distance of two generated images, over that of photos, below which nothing unfolds."""
YOUNG = 0.3
"""The same, up to which a generator may still be unfolding."""
UNFOLDING = 1.03
"""Growth of the same, over the most there ever was, of a generator that is unfolding."""
RICHER = 1.2
"""Growth of the number of different images over the most there ever were, at which a
generator is still unfolding."""
SUPPORT = 2000.0
"""Different images below which a generator repeats itself."""
LABEL_SUPPORT = 12.0
"""The same within one label, of which a look may have ten images only."""
NEAREST = 0.3
"""Nearest neighbours among generated images, over those among photos."""
SEEN_ABOVE = 0.58
"""Share of pairs in which the training photo is rated above the held-out one; 0.5 means that
nothing was learned by heart."""
CHANCE = 2.5
"""How many standard errors above 0.5 that share has to be, which is what counts where there are few
photos."""
BY_HEART = 0.5
"""How much farther training photos are rated above held-out ones, over how far above generated
images: beyond it the discriminator takes a held-out photo for a generated image."""
WORSE = 2.0
"""Distance of images to held-out photos, over the least there ever was, of images that got worse
(medians of `LAST_PART` of the looks)."""
AS_NEAR_AS_PHOTOS = 0.002
"""The same distance, below which it is chance."""

UNDECIDED = 0.1
"""Difference of verdicts, in standard deviations within a batch, below which the discriminator has
no opinion."""
AT_A_DRAW = 0.01
"""Relative distance of the discriminator's loss from that of a draw that is none."""
JS_FAR = 0.85
"""Bits by which a linear classifier tells photos from generated images without doubt."""
TOO_SOFT = 0.75
"""Difference of verdicts, in standard deviations within a batch, that a discriminator at the loss
of a draw must have seen and does not say aloud."""

IMPROVEMENT = 0.02
"""Relative gain below which nothing gets better."""
LAST_PART = 0.3
"""Of the training so far, that has to pass without it."""
FEWEST_SCORES = 3
"""Scored checkpoints in that part, and before it."""
