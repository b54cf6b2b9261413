"""How networks learn again once they are quantised: rates, losses, for how long and from how many images."""

from dataclasses import replace

from torch import nn

from tasks.early_exits.cascade import cascade_of
from tasks.recipe import Recipe

# Rates are multiples of the recipe's. Measured with fire:gwap+c4 on hwdb100, 1,024 training images, two epochs;
# validation accuracy is 2.0 % before and 96.3 % of the parent. kl 96.0 %, mse 95.7 %, kl at 15 95.1 %; from labels
# 95.1 %, at 15 94.3 %.
RATE = 5.0
# There, with all 6,300 training images, they end at 96.0, 95.7 and 96.1 %, which 700 validation characters do not tell
# apart; the last one is the least, so that a still lower one is not ruled out.
CONVENTIONAL_RATES = (15.0, 5.0, 1.5)
# Of the rate, for layers that were left whole: training has brought them near their best. On hwdb100, divergence from
# the teacher on validation images at 1, 0.2, 0.05 and 0.02: of fire:gwap+c2-of-classifier-fire9 0.071, 0.019, 0.022 and
# 0.025, of fire:gwap+c4-of-fire4-fire5-fire6 0.079, 0.0068, 0.0054 and 0.0055.
LAYERS = 0.05
TEMPERATURE = 2.0  # what a teacher thinks of wrong classes shows; Hinton, Vinyals and Dean (2014) use 1 to 20
LOSSES = {"kl": f"kl, temperature {TEMPERATURE:g}", "mse": "mse of logits"}  # in words, as records have them
DRAWS = 1  # each further one costs the teacher a third of an epoch
SHARE = 0.15  # of the epochs that training took: the curve is flat after two passes over 1,024 images
MOST_ANSWERS = 1 << 28  # numbers that the teacher answers: half a gigabyte


def retraining_recipe(recipe: Recipe, rate: float) -> Recipe:
    """A recipe for retraining: a training's, a share of its epochs, AdamW and one cycle to so many times its rate."""
    epochs = float(max(1, round(recipe.epochs * SHARE)))
    return replace(recipe, optimizer="adamw", lr=rate * recipe.lr, schedule="onecycle", epochs=epochs, heads=None)


def loss_of_labels(recipe: Recipe) -> str:
    """The loss of learning from labels, in words."""
    return f"cross_entropy, label smoothing {recipe.label_smoothing:g}"


def most_images(network: nn.Module, classes: int, draws: int) -> int:
    """How many images a teacher's answers leave memory for."""
    cascade = cascade_of(network)
    return max(1, MOST_ANSWERS // (classes * draws * (len(cascade.heads) if cascade else 1)))
