"""Building blocks that several architectures share: convolution blocks, named layers, He's initialisation."""

from torch import nn


def convolution(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, activation: type[nn.Module] = nn.ReLU
) -> nn.Sequential:
    """A convolution with 'same' padding and without bias, then batch normalisation and an activation."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        activation(inplace=True),
    )


def add_layers(network: nn.Sequential, **layers: nn.Module) -> None:
    """Append layers to a network under their names."""
    for name, layer in layers.items():
        network.add_module(name, layer)


def he_initialised(network: nn.Module, negative_slope: float = 0.0) -> nn.Module:
    """The network itself, all weights redrawn so that (leaky) ReLU layers keep the spread of their input; biases 0.

    Source: He et al., Delving deep into rectifiers, arXiv:1502.01852, equation 10.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, negative_slope)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network
