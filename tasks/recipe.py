"""Recipe: the settings of a training (optimiser, schedule, epochs, augmentation, early exits), as dataclasses."""

from dataclasses import asdict, dataclass
from typing import Any

LEAST_THRESHOLD = 1e-6  # of exits: weights files store thresholds with six decimals; a smaller one would become 0


@dataclass(frozen=True)
class Augmentation:
    """Random transforms, drawn again each time an image is read; every default switches its transform off.

    Attributes:
        flip_left_right, flip_up_down: probability of each mirror.
        rotate: largest rotation to either side, degrees.
        stretch: (smallest, largest) factor of width and of height, drawn independently, before the pad to a square.
        zoom: (smallest, largest) factor of both sides together, after the fit to the input size.
        shift: largest shift along each axis, as a share of the input side.
        shear: largest horizontal shear to either side, degrees.
    """

    flip_left_right: float = 0.0
    flip_up_down: float = 0.0
    rotate: float = 0.0
    stretch: tuple[float, float] = (1.0, 1.0)
    zoom: tuple[float, float] = (1.0, 1.0)
    shift: float = 0.0
    shear: float = 0.0

    @property
    def identity(self) -> bool:
        """Whether every transform is off."""
        return self == Augmentation()


@dataclass(frozen=True)
class Heads:
    """How a network with early exits is trained, and how its exit policy is chosen on the validation part.

    Attributes:
        training: ``separate`` trains the final network first, then all early heads in one pass on its frozen weights;
            ``joint`` trains all heads together.
        share: epochs of the early heads in a separate training, as a share of the recipe's epochs, added to them.
        weights: loss weight of each head in a joint training, in the order of the heads; empty for equal weights.
        threshold: fixed exit threshold of the first head. None chooses the cheapest policy (exits and thresholds) that
            is more accurate on validation data than the final head alone by ``margin``, or equally accurate.
        average: whether a character that reaches the final head gets the mean of the last early head's probabilities
            and the final one's; None to choose that too.
        calibrated: whether the probabilities of each head are calibrated by a temperature.
        budget: largest mean multiply-adds per character, as a share of those of the final head alone; the most
            accurate policy within it is chosen.
        margin: of accuracy on validation data, in standard errors; see ``tasks.early_exits.policy.choose_policy``.
        most_lost: replaces the margin if the writers of the validation part are unknown or also wrote training
            characters; see ``choose_policy``.
        begun: the final network starts with the trained weights of another system, so that a separate training only
            trains the early heads.

    Raises: ValueError: an unknown ``training``, a threshold outside LEAST_THRESHOLD to 1 or together with a budget, or
        ``begun`` in a joint training.
    """

    training: str
    share: float = 1.0
    weights: tuple[float, ...] = ()
    threshold: float | None = None
    average: bool | None = None
    calibrated: bool = True
    budget: float | None = None
    margin: float = 2.0  # the best of thousands of policies looks better than it is: one standard error is not enough
    # Early heads lose more accuracy on new writers than the final head does, which characters by known writers do not
    # show: on hwdb100, whose writers are unknown, the margin lost 0.9 points of test accuracy, most_lost none (+0.4).
    most_lost: float = 0.002
    begun: bool = False

    def __post_init__(self) -> None:
        if self.training not in ("separate", "joint"):
            raise ValueError(f"wanted heads trained separate or joint, got {self.training!r}")
        if self.threshold is not None and not LEAST_THRESHOLD <= self.threshold <= 1:
            raise ValueError(f"wanted an exit threshold from {LEAST_THRESHOLD} to 1, got {self.threshold}")
        if self.threshold is not None and self.budget is not None:
            raise ValueError("wanted a fixed exit threshold or a budget to choose it by, got both")
        if self.begun and self.training != "separate":
            raise ValueError(f"wanted heads trained separate on a trained network, got {self.training}")


@dataclass(frozen=True)
class Recipe:
    """How a system is trained.

    Attributes:
        name: its name in system names: ``paper``, ``light``, …
        optimizer: ``sgd``, ``adam`` or ``adamw``, or ``none`` for architectures fitted in one pass without gradients.
        lr: peak learning rate.
        schedule: of the rate: ``constant``, ``staircase`` (× ``gamma`` every ``step_epochs`` epochs), ``plateau``
            (× ``gamma`` when the validation loss stops falling) or ``onecycle`` (warm-up, then cosine to nearly 0).
        batch: images per step.
        epochs: of the published or intended protocol; a scale may train fewer.
        momentum: of SGD.
        weight_decay: decoupled for adamw, L2 otherwise; not applied to biases and normalisation.
        label_smoothing: of the cross-entropy.
        dropout: dropout probability in every dropout layer of the architecture; None for the architecture's own.
        heads: of early exits; None for a network with one head.
    """

    name: str
    optimizer: str
    lr: float
    schedule: str
    batch: int
    epochs: float
    momentum: float = 0.9
    weight_decay: float = 0.0
    gamma: float = 0.1
    step_epochs: float = 1.0
    label_smoothing: float = 0.0
    dropout: float | None = None
    augmentation: Augmentation = Augmentation()
    heads: Heads | None = None

    @property
    def all_epochs(self) -> int:
        """Total number of epochs, including those of early heads on frozen weights."""
        return sum(self._epochs)

    def first_epochs(self, epochs: int) -> int:
        """How many of ``epochs`` epochs train the final network in a separate training; all of them in any other."""
        final, early = self._epochs
        if not final or not early or epochs < 2:
            return epochs if final else 0
        return min(epochs - 1, max(1, round(epochs * final / (final + early))))

    @property
    def _epochs(self) -> tuple[int, int]:
        """Epochs of the final network (or of all heads together), and of early heads on frozen weights."""
        final, heads = max(1, round(self.epochs)), self.heads
        if heads is None or heads.training != "separate":
            return final, 0
        return 0 if heads.begun else final, max(1, round(self.epochs * heads.share))

    def as_dict(self) -> dict[str, Any]:
        """The settings as JSON-ready values for a record, without those that are None."""
        stated = {name: value for name, value in asdict(self).items() if value is not None}
        if self.heads is not None and not self.heads.begun:
            del stated["heads"]["begun"]
        return stated
