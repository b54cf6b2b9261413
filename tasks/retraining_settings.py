"""Settings of retraining quantised networks: learning rates, losses, epochs and number of images."""

from dataclasses import replace

from torch import nn

from tasks.early_exits.cascade import cascade_of
from tasks.recipe import Recipe

# Learning rates are multiples of the recipe's. Measured with fire:gwap+c4 on hwdb100, 1,024 training images and two
# epochs; validation accuracy is 2.0 % before, 96.3 % for the parent, and after retraining: kl 96.0 %, mse 95.7 %, kl at
# 15 95.1 %; on labels 95.1 %, at 15 94.3 %.
RATE = 5.0
# In the same setting with all 6,300 training images they reach 96.0, 95.7 and 96.1 %, too close for 700 validation
# characters to distinguish. The last one is the smallest, so a still smaller one is not ruled out.
CONVENTIONAL_RATES = (15.0, 5.0, 1.5)
# Factor of the rate for layers kept in float32, which training has brought close to their optimum. On hwdb100,
# divergence from the teacher on validation images at 1, 0.2, 0.05 and 0.02: of fire:gwap+c2-of-classifier-fire9 0.071,
# 0.019, 0.022 and 0.025, of fire:gwap+c4-of-fire4-fire5-fire6 0.079, 0.0068, 0.0054 and 0.0055.
LAYERS = 0.05
TEMPERATURE = 2.0  # makes the teacher's probabilities of wrong classes count; Hinton, Vinyals and Dean (2014): 1 to 20
LOSSES = {"kl": f"kl, temperature {TEMPERATURE:g}", "mse": "mse of logits"}  # description in records
DRAWS = 1  # each further one costs the time of a third of an epoch, for the teacher
SHARE = 0.15  # of the epochs of the original training: the curve is flat after two passes over 1,024 images
MOST_ANSWERS = 1 << 28  # float16 logits of the teacher: half a gigabyte


def retraining_recipe(recipe: Recipe, rate: float) -> Recipe:
    """The recipe for retraining: SHARE of a recipe's epochs, AdamW, and one cycle with ``rate`` times its peak rate."""
    epochs = float(max(1, round(recipe.epochs * SHARE)))
    return replace(recipe, optimizer="adamw", lr=rate * recipe.lr, schedule="onecycle", epochs=epochs, heads=None)


def loss_of_labels(recipe: Recipe) -> str:
    """Description, for records, of the loss when training on labels."""
    return f"cross_entropy, label smoothing {recipe.label_smoothing:g}"


def most_images(network: nn.Module, classes: int, draws: int) -> int:
    """Largest number of images whose teacher logits fit into MOST_ANSWERS."""
    cascade = cascade_of(network)
    return max(1, MOST_ANSWERS // (classes * draws * (len(cascade.heads) if cascade else 1)))
