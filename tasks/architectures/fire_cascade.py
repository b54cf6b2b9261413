"""The fire network with two early exits: easy characters take little more than half of its multiply-adds."""

from collections import OrderedDict

from torch import nn

from tasks.architectures import fire
from tasks.architectures._checks import check_variant, fitted, output_shape
from tasks.architectures._layers import add_layers
from tasks.early_exits.cascade import Cascade
from tasks.early_exits.policy import ExitPolicy

SOURCE = "Li, Teng, Jin, Lu: Building efficient CNN architecture for offline HCCR, section 3.3"
VARIANTS = ()
INPUT = (1, 64)  # fire-hccr, section 4.2
# Measured on an AMD EPYC with AVX-512, batch 1, one thread: 4.8 ms in channels last, 6.7 ms contiguous.
LAYOUT = "channels_last"
# Same CPU, training step of 16 images, channels last: bfloat16 is 1.47 times as fast as float32.
CPU_TRAINING = "bf16"
# The system whose trained weights the final network starts from if the early heads are trained separately: section 4.4
# first trains the same network, so a suite trains it only once.
BEGINS_WITH = "fire:gwap"
RECIPE = {
    # The second training method of section 4.4, which the paper prefers; exits are chosen on validation data.
    "light": {"heads": {"training": "separate"}},
    # The first method, otherwise the same as light.
    "joint": {"heads": {"training": "joint"}},
    # fire-hccr, section 4.2, and section 4.5 for the exits. It names no augmentation and no number of epochs: 40
    # suffice for three cuts of the rate, as in fire.
    "paper": {
        "heads": {"training": "separate", "threshold": 0.98, "average": True, "calibrated": False},
        "optimizer": "sgd", "lr": 0.1, "momentum": 0.9, "weight_decay": 1e-5, "schedule": "plateau", "gamma": 0.1,
        "batch": 256, "epochs": 40, "augmentation": {},
    },
}  # fmt: skip

HEADS = ("mid_a", "mid_b", "final")  # in the order of the layers
_BRANCHES = {"mid_a": "fire4", "mid_b": "fire6"}  # fire-hccr, section 3.3: the layer that each head follows
_POLICY = ExitPolicy({"mid_a": 0.98}, average=True)  # fire-hccr, section 4.5; training replaces it by the chosen policy
_DROPOUT = 0.2  # fire-hccr, section 4.2: of the early heads; the final head has that of fire


class FireCascade(Cascade):
    """``fire:gwap`` with the heads Mid-A after fire4 and Mid-B after fire6.

    In eval mode it returns the logits of the final head; ``tasks.early_exits.cascade.EarlyExits`` exits early. The
    maps at the heads are (B, 256, S/4, S/4), (B, 384, S/8, S/8) and (B, 512, S/8, S/8).
    """

    def __init__(self, classes: int, channels: int, size: int) -> None:
        super().__init__(HEADS, _POLICY)
        self.final = fire.build("gwap", classes, channels, size)
        names = [name for name, _ in self.final.named_children()]
        ends = [names.index(layer) + 1 for layer in _BRANCHES.values()]
        self._stages = dict(zip(HEADS, zip([0, *ends], [*ends, names.index("pool")], strict=True), strict=True))
        for name in _BRANCHES:
            features, side, _ = output_shape(self._layers(0, self._stages[name][1]), channels, size)
            self.add_module(name, _head(features, side, classes))

    def stage_layers(self, name: str) -> nn.Sequential:
        """The layers from the previous head, or the image, to this head."""
        return self._layers(*self._stages[name])

    def head_layers(self, name: str) -> nn.Sequential:
        """The layers of a head, from its maps to logits (B, classes)."""
        if name == "final":
            return self._layers(self._stages[name][1], None)
        head: nn.Sequential = getattr(self, name)
        return head

    def up_to(self, name: str) -> nn.Sequential:
        """The network that ends at a head; it shares these weights, and its cost is that of this exit alone."""
        if name == "final":
            return self._layers(0, None)
        return self._sequence(OrderedDict(body=self._layers(0, self._stages[name][1]), head=self.get_submodule(name)))

    def _layers(self, first: int, last: int | None) -> nn.Sequential:
        """Layers ``first`` to ``last`` of the final network."""
        return self._sequence(OrderedDict(list(self.final.named_children())[first:last]))

    def _sequence(self, layers: "OrderedDict[str, nn.Module]") -> nn.Sequential:
        part = nn.Sequential(layers)
        part.training = self.training  # not train(): its layers may be in another mode, such as frozen ones
        return part


def build(variant: str, classes: int, channels: int, size: int) -> nn.Module:
    """fire-hccr's cascade: 51.6, 65.8 and 91.0 million multiply-adds up to its heads at 3,755 classes."""
    check_variant(variant, VARIANTS)
    return fitted(FireCascade(classes, channels, size), channels, size)


def _head(features: int, side: int, classes: int) -> nn.Sequential:
    """A fire module as wide as its input, weighted pooling, classifier. Source: fire-hccr, section 3.3."""
    head = nn.Sequential()
    add_layers(head, fire=fire.Fire(features, features), pool=fire.GlobalWeightedPool(features, side))
    classifier = nn.Linear(features, classes)
    add_layers(head, flatten=nn.Flatten(), dropout=nn.Dropout(_DROPOUT), classifier=classifier)
    return head
