"""What a recipe is: optimiser, schedule, epochs, augmentation and, for early exits, how heads are trained."""

from dataclasses import asdict, dataclass
from typing import Any

LEAST_THRESHOLD = 1e-6  # of exits: six decimals are what the weights' files keep of one; less would become 0


@dataclass(frozen=True)
class Augmentation:
    """What is drawn afresh each time an image is read; zeros and ones switch a part off.

    Attributes:
        flip_left_right, flip_up_down: probability of each mirror.
        rotate: largest rotation to either side, degrees.
        stretch: (least, most) factor of width and of height, drawn apart, before the pad to a square.
        zoom: (least, most) factor of the whole, after the fit to the input size.
        shift: largest shift along each axis, share of the input side.
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
        """Whether nothing is drawn at all."""
        return self == Augmentation()


@dataclass(frozen=True)
class Heads:
    """How a network with early exits is trained, and how its exits are found on validation data.

    Attributes:
        training: ``separate``, the final network first and then all early heads in one pass on its frozen weights;
            or ``joint``, all heads together.
        share: of the recipe's epochs, added to them for the early heads of a separate training.
        weights: of each head's loss in a joint training, in the order of the heads; empty for all alike.
        threshold: at which characters leave the first head; None for the cheapest policy, exits and thresholds, that
            reads validation characters surely better than the final head alone, by the margin, or just alike.
        average: whether who stays gets the mean of the last early head and the final one; None where that is chosen.
        calibrated: whether each head's probabilities are scaled by a temperature.
        budget: most multiply-adds on average, share of the final head's alone; then the most accurate policy is taken.
        margin: of accuracy on validation data, in standard errors; see ``tasks.early_exits.policy.choose_policy``.
        most_lost: takes the margin's place where the validation part is not by writers of its own.
        begun: the final network is given its weights, as another system has learnt them: a separate training has its
            early heads left to train.
    """

    training: str
    share: float = 1.0
    weights: tuple[float, ...] = ()
    threshold: float | None = None
    average: bool | None = None
    calibrated: bool = True
    budget: float | None = None
    margin: float = 2.0  # the best of thousands of policies has been lucky: by one alone it might still be worse
    # Early heads read new writers worse than the final one does, which characters by known writers do not show: on
    # hwdb100, whose writers are not known, the margin lost 0.9 points of accuracy on the test part, this none (+0.4).
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
            raise ValueError(f"wanted heads trained separate on a network that is trained, got {self.training}")


@dataclass(frozen=True)
class Recipe:
    """How a system is trained.

    Attributes:
        name: as it stands in system names; ``paper``, ``light``, …
        optimizer: ``sgd``, ``adam`` or ``adamw``, or ``none`` for architectures fitted in one pass.
        lr: peak learning rate.
        momentum: of SGD.
        weight_decay: decoupled for adamw, L2 otherwise; weights of convolutions and fully connected layers only.
        schedule: ``constant``, ``staircase`` (× ``gamma`` every ``step_epochs``), ``plateau`` (× ``gamma`` when the
            validation loss stops falling) or ``onecycle`` (warm-up, then cosine to nearly 0).
        gamma, step_epochs: of staircase and plateau.
        batch: images per step.
        epochs: of the published or intended protocol; a scale may cut them.
        label_smoothing: of the cross-entropy.
        dropout: share of features dropped wherever the architecture drops any; None for its own shares.
        augmentation: see Augmentation.
        heads: see Heads; None for a network with one head.
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
        """Whole epochs of the training, those of early heads on frozen weights included."""
        return self._whole + self._added

    def first_epochs(self, epochs: int) -> int:
        """How many of so many epochs a separate training gives to the final network; all of them in any other."""
        if self.heads is not None and self.heads.begun:
            return 0
        if not self._added or epochs < 2:
            return epochs
        return min(epochs - 1, max(1, round(epochs * self._whole / self.all_epochs)))

    @property
    def _whole(self) -> int:
        begun = self.heads is not None and self.heads.begun
        return 0 if begun else max(1, round(self.epochs))

    @property
    def _added(self) -> int:
        separate = self.heads is not None and self.heads.training == "separate"
        return max(1, round(self.epochs * self.heads.share)) if self.heads is not None and separate else 0

    def as_dict(self) -> dict[str, Any]:
        """All settings that are stated, as they stand in a record."""
        stated = {name: value for name, value in asdict(self).items() if value is not None}
        if self.heads is not None and not self.heads.begun:
            del stated["heads"]["begun"]
        return stated
